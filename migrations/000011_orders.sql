-- Orders (spec §4): what the buyer agreed to, once per rendered order page.
-- Locks: none, all tables are new.

create table purchase_order (
  account_id text not null,
  order_id uuid not null,
  -- Made when the order page is drawn; sending the page twice is one order.
  nonce text not null,
  product_code text not null,
  subscription_id uuid not null,
  price_version integer not null,
  one_time bigint not null check (one_time >= 0),
  first_month bigint not null check (first_month >= 0),
  currency char(3) not null,
  terms_sha256 text,
  payment_method_id text not null,
  placed_at timestamptz not null,
  primary key (account_id, order_id),
  unique (account_id, nonce),
  foreign key (account_id, subscription_id) references subscription (account_id, subscription_id)
);
create unique index purchase_order_subscription on purchase_order (account_id, subscription_id);
