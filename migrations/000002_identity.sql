-- People sign in; a person acts for one account. The tables user, session, account and verification are exactly what
-- better-auth 1.7 asks for (src/identity/schema.test.ts compares them with its own list).
-- Locks: none, all tables are new.

create schema identity;

create table identity."user" (
  id text primary key,
  name text not null,
  -- Lower case. A person exists once this address is verified, never before.
  email text not null unique,
  "emailVerified" boolean not null,
  image text,
  "createdAt" timestamptz not null default current_timestamp,
  "updatedAt" timestamptz not null default current_timestamp
);

create table identity.session (
  id text primary key,
  "expiresAt" timestamptz not null,
  token text not null unique,
  "createdAt" timestamptz not null default current_timestamp,
  "updatedAt" timestamptz not null,
  "ipAddress" text,
  "userAgent" text,
  "userId" text not null references identity."user" (id) on delete cascade
);
create index session_of_user on identity.session ("userId");

-- A way in that a person has: here the password.
create table identity.account (
  id text primary key,
  "accountId" text not null,
  "providerId" text not null,
  "userId" text not null references identity."user" (id) on delete cascade,
  "accessToken" text,
  "refreshToken" text,
  "idToken" text,
  "accessTokenExpiresAt" timestamptz,
  "refreshTokenExpiresAt" timestamptz,
  scope text,
  password text,
  "createdAt" timestamptz not null default current_timestamp,
  "updatedAt" timestamptz not null
);
create index account_user on identity.account ("userId");

-- What a link in a mail will do, under the digest of the link's token; removed when it is done.
create table identity.verification (
  id text primary key,
  identifier text not null,
  value text not null,
  "expiresAt" timestamptz not null,
  "createdAt" timestamptz not null default current_timestamp,
  "updatedAt" timestamptz not null default current_timestamp
);
create index verification_identifier on identity.verification (identifier);

-- How often someone tried lately: one row for a network or an address and what is tried.
create table identity.attempt (
  key text primary key,
  count integer not null check (count > 0),
  ends_at timestamptz not null
);
create index attempt_ends on identity.attempt (ends_at);

create table account_member (
  account_id text not null references account (account_id),
  person_id text not null,
  created_at timestamptz not null,
  primary key (account_id, person_id)
);
create unique index account_member_person on account_member (person_id);
