-- Machine images, their product code (written once, spec §11) and launch permissions; tags of anything.
-- Locks: none, all tables are new.

create table image (
  image_id text primary key check (image_id ~ '^ami-[0-9a-f]{8,17}$'),
  owner_account_id text not null references account (account_id),
  region text not null,
  name text not null,
  description text,
  architecture text not null,
  image_location text not null,
  environment text not null,
  root_device_type text not null check (root_device_type in ('ebs', 'instance-store')),
  root_device_name text,
  virtualization_type text not null check (virtualization_type in ('hvm', 'paravirtual')),
  block_device_mappings jsonb not null default '[]',
  state text not null check (state in ('available', 'deregistered')),
  product_code text references product (product_code),
  is_public boolean not null default false,
  created_at timestamptz not null,
  deregistered_at timestamptz,
  check ((state = 'deregistered') = (deregistered_at is not null))
);
create unique index image_name on image (owner_account_id, region, name) where state = 'available';
create index image_owner on image (region, owner_account_id);
create index image_public on image (region, created_at) where is_public and state = 'available';
create index image_product_code on image (product_code) where product_code is not null;

create table image_launch_permission (
  image_id text not null references image (image_id),
  account_id text not null,
  primary key (image_id, account_id)
);
create index image_launch_permission_account on image_launch_permission (account_id);

create table tag (
  account_id text not null,
  resource_id text not null,
  key text not null check (length(key) between 1 and 127),
  value text not null check (length(value) <= 255),
  primary key (account_id, resource_id, key)
);
