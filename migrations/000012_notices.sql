-- Mails: an outbox written with the fact they tell. Each fact has one reference, so it is told once.
-- Locks: none, all tables are new.

create table mail (
  mail_id uuid primary key,
  -- Order of writing: many mails share an instant when the manual clock stands still.
  number bigint not null unique generated always as identity,
  reference text not null unique,
  kind text not null,
  account_id text,
  recipient text not null,
  subject text not null,
  text_body text not null,
  html_body text not null,
  created_at timestamptz not null,
  -- Handed to the mail server; stays empty where the mailbox inside the service is the destination.
  sent_at timestamptz
);
create index mail_recipient on mail (lower(recipient), number desc);
