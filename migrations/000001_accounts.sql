-- Accounts are the parties of every story: twelve digits, buyer, seller and operator in any mix. Access keys sign the AWS
-- wires; they are found by their id alone on every request. The audit log says who did what.
-- Locks: none, all tables are new.

create table account (
  account_id text primary key check (account_id ~ '^[1-9][0-9]{11}$'),
  name text not null check (name <> ''),
  email text not null check (email = lower(email)),
  email_verified boolean not null default false,
  operator boolean not null default false,
  country text check (country ~ '^[A-Z]{2}$'),
  created_at timestamptz not null
);

-- A seller profile: made by an account's first product registration (spec §2).
create table seller (
  seller_account_id text primary key references account (account_id),
  company_name text not null check (company_name <> ''),
  bank_account_verified boolean not null default false,
  processor_account_id text unique,
  created_at timestamptz not null
);

create table access_key (
  access_key_id text primary key check (access_key_id ~ '^[A-Z0-9]{16,32}$'),
  account_id text not null references account (account_id),
  secret_sealed bytea not null,
  active boolean not null default true,
  created_at timestamptz not null
);
create index access_key_account on access_key (account_id);

create table audit_entry (
  account_id text not null,
  audit_id uuid not null,
  at timestamptz not null,
  actor text not null,
  action text not null,
  subject text not null,
  detail jsonb not null,
  primary key (account_id, audit_id)
);
create index audit_entry_at on audit_entry (account_id, at desc);

-- The manual clock: at most one row, and it never goes back.
create table clock (
  singleton boolean primary key default true check (singleton),
  now timestamptz not null
);

-- Which master key seals the secrets of this database: at most one row, written with the first start. It tells nothing of
-- the key, and lets a start with another key be refused before anything is sealed or opened with it.
create table master_key (
  singleton boolean primary key default true check (singleton),
  fingerprint text not null check (fingerprint ~ '^[0-9a-f]{64}$')
);
