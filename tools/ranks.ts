/**
 * The rooms of `src/`, lowest first. A module may import from rooms that stand before its own, and from its own; never
 * from a later one. A later room acts on an earlier one by calling it; an earlier room is heard by a later one only through
 * a job enqueued in the same transaction. ARCHITECTURE.md shows this list, and tools/tidy.test.ts holds the modules to it.
 */
export interface Room {
  /** Folder or file directly under `src/`. */
  readonly name: string
  /** What lives there, in one line. */
  readonly holds: string
  /** ground: knows nothing of the business. domain: facts and rules of the business. edge: wires, pages, commands. */
  readonly kind: 'ground' | 'domain' | 'edge'
}

export const rooms: readonly Room[] = [
  { name: 'base', kind: 'ground', holds: 'money, rounding, time, months, ids, faults, configuration, sealing, logs' },
  {
    name: 'database',
    kind: 'ground',
    holds: 'connections, transactions, the clock, migrations, the embedded PostgreSQL',
  },
  { name: 'jobs', kind: 'ground', holds: 'follow-up tasks, the worker, and due work in order of its instants' },
  { name: 'aws', kind: 'ground', holds: 'signatures, query in, XML out, the EC2 model; no meaning' },
  { name: 'http', kind: 'ground', holds: 'the server, its limits, and faults as answers' },
  { name: 'sandbox', kind: 'ground', holds: 'a Stripe-compatible payment processor of our own' },
  { name: 'accounts', kind: 'domain', holds: 'accounts, access keys, seller profiles, the audit log' },
  { name: 'notices', kind: 'domain', holds: 'mails: written with the fact they tell, sent afterwards' },
  { name: 'identity', kind: 'domain', holds: 'people who sign in and the accounts they act for' },
  { name: 'ledger', kind: 'domain', holds: 'transfers: one debit, one credit, one amount' },
  { name: 'products', kind: 'domain', holds: 'products, their configuration and prices, the cloud’s rate card' },
  { name: 'subscriptions', kind: 'domain', holds: 'who may use which product, and activation keys' },
  { name: 'images', kind: 'domain', holds: 'machine images, product codes on them, launch permissions, tags' },
  { name: 'compute', kind: 'domain', holds: 'the port to machines and its drivers' },
  { name: 'instances', kind: 'domain', holds: 'instances, every change of their state, and their runs' },
  { name: 'metering', kind: 'domain', holds: 'the count of what was used, from runs' },
  { name: 'rating', kind: 'domain', holds: 'usage meets the price in force; pure' },
  { name: 'invoices', kind: 'domain', holds: 'bills, their lines, and the close of a month' },
  { name: 'payments', kind: 'domain', holds: 'cards, attempts to collect, refunds, the processor’s events' },
  { name: 'settlement', kind: 'domain', holds: 'what a seller owes and is owed, and payouts' },
  { name: 'orders', kind: 'domain', holds: 'the way from a purchase URL to a live subscription, and back' },
  { name: 'proof', kind: 'domain', holds: 'the invariants of the books, as SQL' },
  { name: 'endpoints', kind: 'edge', holds: 'EC2, REST, pages and hooks: parse, one domain verb, print' },
  { name: 'main.ts', kind: 'edge', holds: 'the composition root, the only file that knows every room' },
  { name: 'cli', kind: 'edge', holds: 'the turnpike command and the demo' },
]

/** @returns the place in the list, or -1 for a room that is not in it */
export function rankOf(room: string): number {
  return rooms.findIndex(({ name }) => name === room)
}
