-- Buyers at the processor, their card entries, attempts to collect, refunds, and the processor's events. One live attempt
-- per invoice, by constraint.
-- Locks: none, all tables are new.

create table customer (
  account_id text primary key,
  processor_customer_id text not null unique,
  payment_method_id text,
  card_brand text,
  card_last4 text,
  card_exp_month integer,
  card_exp_year integer,
  updated_at timestamptz not null
);

-- Card entries begun at the processor, in their order: the card of each is taken over once, and news of an earlier one that
-- comes late never replaces the card of a later one.
create table card_setup (
  account_id text not null,
  session_id text not null,
  setup_number bigint not null generated always as identity,
  started_at timestamptz not null,
  taken_at timestamptz,
  primary key (account_id, session_id)
);

create table payment_attempt (
  account_id text not null,
  invoice_id uuid not null,
  attempt_number integer not null check (attempt_number > 0),
  -- started: ours alone, or asked of the processor with the answer unknown; then exactly one of the others.
  state text not null check (state in ('started', 'succeeded', 'failed')),
  amount bigint not null check (amount > 0),
  currency char(3) not null,
  payment_method_id text not null,
  processor_payment_id text,
  failure_code text,
  failure_message text,
  started_at timestamptz not null,
  -- By the machine's clock, whatever the billing clock says: the processor forgets idempotency keys after a while.
  asked_at timestamptz not null default now(),
  -- When a started attempt is put to its task anew, in case the task was lost or has given up.
  resume_due_at timestamptz,
  settled_at timestamptz,
  primary key (account_id, invoice_id, attempt_number),
  foreign key (account_id, invoice_id) references invoice (account_id, invoice_id),
  check ((state = 'started') = (settled_at is null))
);
create unique index payment_attempt_live on payment_attempt (account_id, invoice_id) where state = 'started';
create unique index payment_attempt_capture on payment_attempt (account_id, invoice_id) where state = 'succeeded';
create index payment_attempt_resume on payment_attempt (resume_due_at) where state = 'started';

create table refund (
  account_id text not null,
  refund_id uuid not null,
  invoice_id uuid not null,
  subscription_id uuid not null,
  product_code text not null,
  seller_account_id text not null,
  month char(7) not null,
  reason text not null check (reason in ('cancellation')),
  amount bigint not null check (amount > 0),
  currency char(3) not null,
  state text not null check (state in ('started', 'succeeded', 'failed')),
  processor_refund_id text,
  started_at timestamptz not null,
  resume_due_at timestamptz,
  settled_at timestamptz,
  primary key (account_id, refund_id),
  foreign key (account_id, invoice_id) references invoice (account_id, invoice_id)
);
create index refund_resume on refund (resume_due_at) where state = 'started';
create index refund_invoice on refund (account_id, invoice_id);
create unique index refund_cancellation on refund (account_id, subscription_id, invoice_id) where reason = 'cancellation';

-- The processor's webhooks, each once.
create table processor_event (
  event_id text primary key,
  type text not null,
  received_at timestamptz not null,
  handled_at timestamptz
);
