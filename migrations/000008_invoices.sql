-- Invoices and their lines, and the closed months. A month of an account is closed once and a month of a subscription
-- is billed once because these keys say so.
-- Locks: none, all tables are new.

create table invoice (
  account_id text not null,
  invoice_id uuid not null,
  kind text not null check (kind in ('sign-up', 'monthly')),
  -- Monthly: the month whose end made the bill. Sign-up: the month of the sign-up.
  month char(7) not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  subscription_id uuid,
  currency char(3) not null,
  -- Sum of the lines.
  total bigint not null check (total >= 0),
  -- total and the totals of the bills carried into this one.
  amount_due bigint not null check (amount_due >= total),
  -- open: to be collected; paid: collected, or nothing due; carried: below the minimum, part of a later bill;
  -- unpaid: every attempt failed, the debt stands; void: reversed, a refused sign-up.
  state text not null check (state in ('open', 'paid', 'carried', 'unpaid', 'void')),
  carried_into uuid,
  issued_at timestamptz not null,
  paid_at timestamptz,
  -- When collection is tried next; empty when it is not to be tried by itself.
  attempt_due_at timestamptz,
  primary key (account_id, invoice_id),
  check ((kind = 'sign-up') = (subscription_id is not null)),
  check (carried_into is null or state in ('carried', 'paid')),
  check (state <> 'paid' or paid_at is not null),
  check (attempt_due_at is null or state = 'open')
);
create unique index invoice_month on invoice (account_id, month, currency) where kind = 'monthly';
create unique index invoice_sign_up on invoice (account_id, subscription_id) where kind = 'sign-up';
create index invoice_attempt_due on invoice (attempt_due_at) where attempt_due_at is not null;
create index invoice_issued on invoice (account_id, issued_at desc);

create table invoice_line (
  account_id text not null,
  invoice_id uuid not null,
  line_number integer not null check (line_number > 0),
  subscription_id uuid not null,
  product_code text not null,
  seller_account_id text not null,
  kind text not null check (kind in ('one-time', 'monthly', 'usage')),
  dimension text,
  -- The month the revenue belongs to (spec §7): of the use for usage, of the charge for the rest.
  month char(7) not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  period_start timestamptz not null,
  period_end timestamptz not null check (period_end > period_start),
  quantity bigint not null check (quantity >= 0),
  price_version integer not null,
  rate_nano bigint check (rate_nano >= 0),
  amount bigint not null check (amount >= 0),
  -- What the cloud charges the seller for the same quantity.
  rate_card_version integer,
  cost_rate_nano bigint check (cost_rate_nano >= 0),
  cost bigint not null default 0 check (cost >= 0),
  primary key (account_id, invoice_id, line_number),
  foreign key (account_id, invoice_id) references invoice (account_id, invoice_id),
  check ((kind = 'usage') = (dimension is not null)),
  check (kind = 'usage' or cost = 0)
);
-- A charge of a subscription for a month, and a dimension of its use, is billed in exactly one line.
create unique index invoice_line_charge on invoice_line (account_id, subscription_id, month, kind) where kind <> 'usage';
create unique index invoice_line_usage on invoice_line (account_id, subscription_id, month, dimension, period_start, price_version) where kind = 'usage';
create index invoice_line_product_month on invoice_line (account_id, product_code, month);
create index invoice_line_seller on invoice_line (seller_account_id, month);

-- The account's month is closed: usage counted, bill made. There may be no bill when nothing was due.
create table account_month (
  account_id text not null,
  month char(7) not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  closed_at timestamptz not null,
  primary key (account_id, month)
);

-- The subscription's month is billed: its use of that month and its charge of the next.
create table subscription_month (
  account_id text not null,
  subscription_id uuid not null,
  month char(7) not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  invoice_id uuid,
  billed_at timestamptz not null,
  primary key (account_id, subscription_id, month)
);

-- Progress of closing a month over all accounts. Not an authority on what is closed: account_month is.
create table month_close (
  month char(7) primary key check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  started_at timestamptz not null,
  finished_at timestamptz
);

-- Accounts that may have something to bill, claimed in cohorts by any number of workers.
create table month_close_claim (
  month char(7) not null references month_close (month),
  account_id text not null,
  done boolean not null default false,
  parked_reason text,
  -- A person has seen the parked bill and let it pass: it is not parked again for being unusually large.
  let_pass boolean not null default false,
  primary key (month, account_id)
);
create index month_close_claim_open on month_close_claim (month, account_id) where not done and parked_reason is null;
