/** Notices: what people are told by mail (spec §4, §6). */

/** A mail in the outbox, and in the mailbox inside the service. */
export interface Mail {
  readonly mailId: string
  /** Names the fact that is told; a fact is told once. */
  readonly reference: string
  /** Such as `purchase-confirmation`. */
  readonly kind: string
  readonly accountId?: string
  readonly recipient: string
  readonly subject: string
  readonly textBody: string
  readonly htmlBody: string
  readonly createdAt: Date
  /** When the mail server took it; absent where the mailbox inside the service is the destination. */
  readonly sentAt?: Date
}

/** What a mail says, before it has a form. */
export interface MailContent {
  readonly subject: string
  readonly paragraphs: readonly string[]
  /** Rows of a name and a value, such as the lines of a bill. */
  readonly table?: readonly (readonly [string, string])[]
  /** The one thing to do. */
  readonly action?: { readonly label: string; readonly url: string }
}
