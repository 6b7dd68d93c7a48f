-- Subscriptions (spec §4, §6): at most one live one per buyer and product, by constraint. Activation keys tie buyer and
-- product for an hour; only their digest is kept.
-- Locks: none, all tables are new.

create table subscription (
  account_id text not null,
  subscription_id uuid not null,
  product_code text not null,
  seller_account_id text not null,
  state text not null check (state in ('pending', 'active', 'failed', 'cancelled')),
  end_reason text check (end_reason in ('payment-refused', 'cancelled-by-buyer', 'non-payment', 'cancelled-by-operator')),
  created_at timestamptz not null,
  activated_at timestamptz,
  ended_at timestamptz,
  -- When the end-of-access policy acts on instances still running; empty once it has acted.
  end_of_access_due_at timestamptz,
  primary key (account_id, subscription_id),
  check ((state in ('failed', 'cancelled')) = (ended_at is not null)),
  check ((ended_at is null) = (end_reason is null))
);
create unique index subscription_live on subscription (account_id, product_code) where state in ('pending', 'active');
create index subscription_product on subscription (product_code, created_at);
create index subscription_seller on subscription (seller_account_id);
create index subscription_end_of_access on subscription (end_of_access_due_at) where end_of_access_due_at is not null;

create table activation_key (
  account_id text not null,
  activation_key_sha256 text not null,
  subscription_id uuid not null,
  product_code text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (account_id, activation_key_sha256),
  foreign key (account_id, subscription_id) references subscription (account_id, subscription_id)
);
