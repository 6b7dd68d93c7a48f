-- Products: what a seller registers (spec §2), its price versions (spec §3), and the cloud's own rates. All of it is read
-- on every launch and written rarely.
-- Locks: none, all tables are new.

create table product (
  product_code text primary key check (product_code ~ '^[0-9A-F]{8}$'),
  seller_account_id text not null references seller (seller_account_id),
  offering_code text not null unique check (offering_code ~ '^[0-9A-F]{8}$'),
  product_token_sealed bytea not null,
  product_token_sha256 text not null unique,
  company_name text not null check (company_name <> ''),
  name text not null check (name <> ''),
  description text not null check (description <> ''),
  redirect_url text not null,
  terms text,
  private_contact_email text not null,
  private_contact_telephone text not null,
  public_contact text not null,
  currency char(3) not null,
  end_of_access_policy text not null check (end_of_access_policy in ('stop', 'terminate', 'leave-running')),
  state text not null check (state in ('draft', 'pending-approval', 'approved', 'withdrawn', 'rejected')),
  state_reason text,
  -- Registering twice with one client token registers once.
  client_token text,
  -- Digest of what was registered under it: the same token with other input is refused.
  request_sha256 text,
  created_at timestamptz not null,
  state_changed_at timestamptz not null,
  check (offering_code <> product_code),
  unique (seller_account_id, client_token),
  check ((client_token is null) = (request_sha256 is null))
);
create index product_seller on product (seller_account_id, created_at);
create index product_state on product (state, created_at);

create table product_configuration (
  product_code text not null references product (product_code),
  region text not null,
  environment text not null,
  instance_type text not null,
  primary key (product_code, region, environment, instance_type)
);

create table price_version (
  product_code text not null references product (product_code),
  version integer not null check (version > 0),
  effective_at timestamptz not null,
  one_time bigint not null check (one_time >= 0),
  monthly bigint not null check (monthly >= 0),
  created_at timestamptz not null,
  primary key (product_code, version),
  unique (product_code, effective_at)
);

-- rate_nano: 10^-9 of the major unit per unit of the dimension.
create table price_rate (
  product_code text not null,
  version integer not null,
  dimension text not null,
  rate_nano bigint not null check (rate_nano >= 0),
  primary key (product_code, version, dimension),
  foreign key (product_code, version) references price_version (product_code, version)
);

-- The cloud's own rates. A file that differs from the one in force becomes a new version (an older file may come back,
-- so digests repeat); the version in force at an instant is the one with the latest effective_at not after it.
create table rate_card (
  rate_card_version integer primary key check (rate_card_version > 0),
  sha256 text not null,
  name text not null,
  currency char(3) not null,
  effective_at timestamptz not null,
  catalog jsonb not null,
  loaded_at timestamptz not null
);

create table rate_card_rate (
  rate_card_version integer not null references rate_card (rate_card_version),
  dimension text not null,
  rate_nano bigint not null check (rate_nano >= 0),
  primary key (rate_card_version, dimension)
);
