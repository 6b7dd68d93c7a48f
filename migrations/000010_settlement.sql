-- Settlement (spec §7): which (buyer, product, month) is to be settled when, what each step charged, and payouts.
-- Locks: none, all tables are new.

create table settlement_due (
  account_id text not null,
  product_code text not null,
  month char(7) not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  due_at timestamptz not null,
  primary key (account_id, product_code, month)
);
create index settlement_due_at on settlement_due (due_at);

-- One step: the cumulative figures it saw, and what had been charged once it was done. Insert-only.
create table settlement_step (
  account_id text not null,
  product_code text not null,
  month char(7) not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  step integer not null check (step > 0),
  seller_account_id text not null,
  currency char(3) not null,
  revenue bigint not null,
  cost bigint not null,
  collected bigint not null,
  cost_charged bigint not null,
  fee_charged bigint not null,
  -- Basis points of the value-add. A month keeps the fee of its first step when the operator changes it.
  percentage_fee bigint not null,
  at timestamptz not null,
  primary key (account_id, product_code, month, step)
);
create index settlement_step_seller on settlement_step (seller_account_id, month);

create table payout (
  seller_account_id text not null references seller (seller_account_id),
  payout_number integer not null check (payout_number > 0),
  currency char(3) not null,
  amount bigint not null check (amount > 0),
  state text not null check (state in ('started', 'paid', 'failed')),
  processor_transfer_id text,
  failure_message text,
  started_at timestamptz not null,
  settled_at timestamptz,
  primary key (seller_account_id, payout_number),
  check ((state = 'started') = (settled_at is null))
);
create unique index payout_live on payout (seller_account_id, currency) where state = 'started';

-- Payout runs by their day: which were made.
create table payout_run (
  day date primary key,
  finished_at timestamptz not null
);
