-- The payment sandbox: a Stripe-compatible processor of its own, in its own schema. Nothing outside src/sandbox reads it.
-- Locks: none, all tables are new.

create schema sandbox;

create table sandbox.object (
  object_id text primary key,
  kind text not null,
  data jsonb not null,
  created_at timestamptz not null,
  ordinal bigint generated always as identity
);
create index object_kind on sandbox.object (kind, ordinal desc);

create table sandbox.idempotency (
  key text primary key,
  request_sha256 text not null,
  status integer not null,
  body jsonb not null,
  created_at timestamptz not null
);

create table sandbox.webhook_delivery (
  event_id text primary key,
  delivered_at timestamptz,
  attempts integer not null default 0,
  last_error text
);
