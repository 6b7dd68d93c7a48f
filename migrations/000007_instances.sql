-- Instances, every change of their state, and their runs. Instance time is stored as runs (start, end), never as ticks:
-- a million running instances cost no writes until they stop.
-- Locks: none, all tables are new.

create table reservation (
  account_id text not null,
  reservation_id text not null,
  client_token text,
  -- Digest of the other parameters: the same token with another request is refused.
  request_sha256 text,
  created_at timestamptz not null,
  primary key (account_id, reservation_id)
);
create unique index reservation_client_token on reservation (account_id, client_token) where client_token is not null;

create table instance (
  account_id text not null,
  instance_id text not null,
  reservation_id text not null,
  launch_index integer not null,
  image_id text not null,
  -- Taken from the image when the instance is launched; attaching a code later does not touch it (spec §11).
  product_code text,
  subscription_id uuid,
  region text not null,
  availability_zone text not null,
  environment text not null,
  instance_type text not null,
  architecture text not null,
  key_name text,
  -- Base64, as it was sent.
  user_data text,
  security_groups text[] not null default '{}',
  monitoring boolean not null default false,
  shutdown_behavior text not null default 'stop' check (shutdown_behavior in ('stop', 'terminate')),
  private_ip inet not null,
  state text not null check (state in ('pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated')),
  -- EC2's code, a colon and a sentence; empty while nobody asked for the instance to end.
  state_reason text,
  -- Counts the changes of state; every change is a compare-and-set on it.
  sequence integer not null check (sequence > 0),
  -- Of the launch, or of the latest start.
  launched_at timestamptz not null,
  state_changed_at timestamptz not null,
  primary key (account_id, instance_id),
  foreign key (account_id, reservation_id) references reservation (account_id, reservation_id)
);
create index instance_region on instance (account_id, region, reservation_id, launch_index);
-- What counts against the account's limit.
create index instance_active on instance (account_id) where state in ('pending', 'running', 'stopping', 'shutting-down');
create index instance_by_id on instance (instance_id);
create index instance_subscription on instance (account_id, subscription_id) where subscription_id is not null and state <> 'terminated';

create table instance_transition (
  account_id text not null,
  instance_id text not null,
  sequence integer not null,
  -- Empty at the launch.
  from_state text,
  to_state text not null,
  reason text not null,
  -- Who asked: an account id, or "system".
  actor text not null,
  at timestamptz not null,
  primary key (account_id, instance_id, sequence)
);

-- A run lasts from reaching "running" to leaving it. An open run has no end.
create table instance_run (
  account_id text not null,
  instance_id text not null,
  run_number integer not null check (run_number > 0),
  product_code text,
  subscription_id uuid,
  region text not null,
  environment text not null,
  instance_type text not null,
  started_at timestamptz not null,
  ended_at timestamptz check (ended_at >= started_at),
  primary key (account_id, instance_id, run_number)
);
create unique index instance_run_open on instance_run (account_id, instance_id) where ended_at is null;
create index instance_run_subscription on instance_run (account_id, subscription_id, started_at) where subscription_id is not null;

-- Private addresses are handed out one after the other; one comes round again after sixteen million launches.
create sequence instance_address;
