-- The payment sandbox: a Stripe-compatible processor of its own, in its own schema. Nothing outside src/sandbox reads it.
-- Locks: none, all tables are new.

create schema sandbox;

-- Every object as its wire shows it; json, not jsonb, keeps the order of the fields.
create table sandbox.object (
  object_id text primary key,
  kind text not null,
  data json not null,
  -- Payment methods only: how the published test card behaves. The number itself is never kept.
  behaviour text,
  created_at timestamptz not null,
  ordinal bigint generated always as identity
);
create index object_kind on sandbox.object (kind, ordinal);
create index object_customer on sandbox.object (kind, (data ->> 'customer'), ordinal);
create index object_payment_intent on sandbox.object (kind, (data ->> 'payment_intent'), ordinal);

-- The first answer to each idempotency key, byte for byte.
create table sandbox.idempotency (
  key text primary key,
  request_sha256 text not null,
  status integer not null,
  body text not null,
  created_at timestamptz not null
);

-- What the platform's balance is made of: charges (+), refunds (-), transfers to sellers (-).
create table sandbox.balance_entry (
  source_id text primary key,
  currency text not null,
  amount bigint not null check (amount <> 0),
  created_at timestamptz not null
);
create index balance_entry_currency on sandbox.balance_entry (currency) include (amount);

create table sandbox.webhook_delivery (
  event_id text primary key references sandbox.object (object_id),
  ordinal bigint generated always as identity,
  delivered_at timestamptz,
  attempts integer not null default 0,
  last_error text
);
create index webhook_delivery_due on sandbox.webhook_delivery (ordinal) where delivered_at is null;
