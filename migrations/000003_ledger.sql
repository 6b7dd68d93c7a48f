-- The ledger: one row is one debit account, one credit account, one positive amount. Balanced by construction,
-- insert-only, corrected only by another row. account_id is the account the fact happened at: the buyer for everything
-- about a bill, the seller for a payout.
-- Locks: none, all tables are new.

create table transfer (
  account_id text not null,
  transfer_id uuid not null,
  kind text not null check (kind in (
    'billed', 'billed-reversed', 'paid', 'deposited', 'transaction-fee', 'cloud-cost', 'percentage-fee',
    'refunded', 'refund-paid', 'payout', 'payout-reversed')),
  -- The business key of the fact: with account and kind it makes every retry harmless.
  reference text not null check (reference <> ''),
  debit text not null,
  credit text not null,
  amount bigint not null check (amount > 0),
  currency char(3) not null,
  seller_account_id text,
  product_code text,
  month char(7) check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  invoice_id uuid,
  at timestamptz not null,
  primary key (account_id, transfer_id),
  unique (account_id, kind, reference),
  check (debit <> credit),
  check (debit in ('receivable', 'expected-revenue', 'processor', 'seller-balance', 'transaction-fees', 'percentage-fees', 'cloud-costs')),
  check (credit in ('receivable', 'expected-revenue', 'processor', 'seller-balance', 'transaction-fees', 'percentage-fees', 'cloud-costs')),
  check (seller_account_id is not null or (debit <> 'seller-balance' and credit <> 'seller-balance'
    and debit <> 'expected-revenue' and credit <> 'expected-revenue'))
);
create index transfer_product_month on transfer (account_id, product_code, month);
create index transfer_invoice on transfer (account_id, invoice_id);
create index transfer_seller on transfer (seller_account_id, at) where seller_account_id is not null;
