-- The record of the farm. PostgreSQL 18.
--
-- Rules that hold for every tenant table: studio_id stands in the key and in every foreign key, row-level security is
-- forced, farm_app sees one studio a transaction (SET LOCAL farm.studio_id), farm_service (dispatch, settle, janitor)
-- sees all. Neither role owns anything or is a superuser. Ids are UUIDv7. Money is numeric(78,0) in token base units and
-- every money row names chain, contract and token. Hashes are lower-case hex SHA-256.

CREATE SCHEMA farm;
SET LOCAL search_path = farm;

CREATE DOMAIN sha256_hex AS text CHECK (VALUE ~ '^[0-9a-f]{64}$');
CREATE DOMAIN address_hex AS text CHECK (VALUE ~ '^0x[0-9a-fA-F]{40}$');
CREATE DOMAIN base_units AS numeric(78, 0) CHECK (VALUE >= 0);

-- ---------------------------------------------------------------- farm-wide (no tenant)

CREATE TABLE sites (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  name text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE nodes (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  site_id uuid NOT NULL REFERENCES sites (id),
  name text NOT NULL UNIQUE,
  -- Address of the node's own key: receipts are signed with it and payouts go to it.
  account address_hex NOT NULL UNIQUE,
  token_hash sha256_hex NOT NULL UNIQUE,
  status text NOT NULL DEFAULT 'online' CHECK (status IN ('online', 'offline', 'draining', 'left')),
  engine text NOT NULL,
  engine_build text NOT NULL,
  tier text NOT NULL CHECK (tier IN ('cpu', 'gpu')),
  device text NOT NULL,
  threads int NOT NULL CHECK (threads > 0),
  memory_bytes bigint NOT NULL,
  -- FarmBench score as measured on the node (millions of camera samples a second on the benchmark scene).
  score double precision NOT NULL CHECK (score > 0),
  -- OpenJD-style amounts and attributes: {"amount.worker.vcpu": 2, "attr.worker.os.family": ["linux"]}.
  labels jsonb NOT NULL DEFAULT '{}',
  joined_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now()
);

-- Prices and the rate between token and currency; the newest row that began before now is in force.
CREATE TABLE tariffs (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  currency char(3) NOT NULL,
  -- Token base units for one FarmBench-hour (score 1.0 for 3600 s).
  price_per_fbh base_units NOT NULL,
  -- Currency minor units (cents) for one whole token, times 10^6.
  cents_per_token_e6 bigint NOT NULL CHECK (cents_per_token_e6 > 0),
  tax_basis_points int NOT NULL DEFAULT 0 CHECK (tax_basis_points BETWEEN 0 AND 10000),
  valid_from timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE deployments (
  chain_id bigint NOT NULL,
  escrow address_hex NOT NULL,
  settlement address_hex NOT NULL,
  token address_hex NOT NULL,
  token_symbol text NOT NULL,
  token_decimals int NOT NULL,
  block_number bigint NOT NULL,
  deployed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (chain_id, settlement)
);

CREATE TABLE studios (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text NOT NULL,
  currency char(3) NOT NULL,
  -- Printed on invoices; kept off chain.
  billing jsonb NOT NULL DEFAULT '{}',
  account address_hex NOT NULL,
  session_account address_hex NOT NULL,
  -- Derivation index of the studio's keys where the farm keeps them (embedded chain); null when the studio signs itself.
  key_index int UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_keys (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  studio_id uuid REFERENCES studios (id),
  role text NOT NULL CHECK (role IN ('artist', 'td', 'finance', 'operator', 'node')),
  label text NOT NULL,
  key_hash sha256_hex NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz,
  -- Operators and nodes belong to no studio; everybody else to exactly one.
  CHECK ((studio_id IS NULL) = (role IN ('operator', 'node')))
);

-- ---------------------------------------------------------------- projects and blobs

CREATE TABLE blobs (
  studio_id uuid NOT NULL REFERENCES studios (id),
  hash sha256_hex NOT NULL,
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (studio_id, hash)
);

CREATE TABLE projects (
  studio_id uuid NOT NULL REFERENCES studios (id),
  id uuid NOT NULL DEFAULT uuidv7(),
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (studio_id, id),
  UNIQUE (studio_id, name)
);

CREATE TABLE project_versions (
  studio_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT uuidv7(),
  project_id uuid NOT NULL,
  number int NOT NULL CHECK (number > 0),
  -- {formatVersion: 1, main, files: [{path, sizeBytes, hash}]}
  manifest jsonb NOT NULL,
  manifest_hash sha256_hex NOT NULL,
  -- SceneInspection of domain/scene.ts
  inspection jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (studio_id, id),
  UNIQUE (studio_id, project_id, number),
  FOREIGN KEY (studio_id, project_id) REFERENCES projects (studio_id, id)
);

CREATE TABLE version_blobs (
  studio_id uuid NOT NULL,
  version_id uuid NOT NULL,
  hash sha256_hex NOT NULL,
  PRIMARY KEY (studio_id, version_id, hash),
  FOREIGN KEY (studio_id, version_id) REFERENCES project_versions (studio_id, id) ON DELETE CASCADE,
  FOREIGN KEY (studio_id, hash) REFERENCES blobs (studio_id, hash)
);

-- ---------------------------------------------------------------- jobs

CREATE TABLE jobs (
  studio_id uuid NOT NULL REFERENCES studios (id),
  id uuid NOT NULL DEFAULT uuidv7(),
  name text NOT NULL,
  -- See domain/statuses.ts for the transitions.
  status text NOT NULL CHECK (status IN
    ('uploading', 'preparing', 'quoted', 'active', 'paused', 'stopping', 'completed', 'cancelled', 'failed', 'expired')),
  stage text NOT NULL CHECK (stage IN ('intake', 'plan', 'render', 'verify', 'assemble', 'settle')),
  pause_reason text CHECK (pause_reason IN ('user', 'budget')),
  stop_reason text CHECK (stop_reason IN ('cancel', 'failure')),
  -- Problem of domain/errors.ts that ended or stopped the job.
  problem jsonb,
  priority int NOT NULL DEFAULT 3 CHECK (priority BETWEEN 1 AND 5),
  -- What was asked for: {formatVersion, frames: "1-24", template, main, files: [{path, sizeBytes, hash}]}.
  submission jsonb NOT NULL,
  -- Null until quoted: the submission's files become a version only when the job got a quote.
  version_id uuid,
  -- RenderSettings of domain/scene.ts, complete once quoted.
  settings jsonb NOT NULL,
  -- Policies of domain/policy.ts.
  policy jsonb NOT NULL DEFAULT '{}',
  -- Frames in the farm's own grammar, "1-24"; null, like their count, while only the scene would know them.
  frames text,
  frame_count int CHECK (frame_count BETWEEN 1 AND 100000),
  CHECK (status IN ('uploading', 'preparing') OR (frames IS NOT NULL AND frame_count IS NOT NULL AND version_id IS NOT NULL)),
  -- Money of the job. cap >= reserved + spent, always.
  chain_id bigint NOT NULL,
  contract address_hex NOT NULL,
  token address_hex NOT NULL,
  token_decimals int NOT NULL,
  cap base_units NOT NULL DEFAULT 0,
  reserved base_units NOT NULL DEFAULT 0,
  spent base_units NOT NULL DEFAULT 0,
  CHECK (reserved + spent <= cap),
  -- Units committed so far: numbers the receipt lines without a gap.
  committed_units int NOT NULL DEFAULT 0,
  -- Last number given in job_events; taken under this row's lock.
  event_seq bigint NOT NULL DEFAULT 0,
  outputs jsonb,
  -- When each stage began: {"render": "2026-11-23T06:00:00.000Z"}.
  stage_started jsonb NOT NULL DEFAULT '{}',
  -- Wall time spent in each stage, seconds, written as stages end.
  stage_seconds jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  accepted_at timestamptz,
  ended_at timestamptz,
  PRIMARY KEY (studio_id, id),
  UNIQUE (id),
  FOREIGN KEY (studio_id, version_id) REFERENCES project_versions (studio_id, id)
);
CREATE INDEX jobs_open ON jobs (status) WHERE status IN ('uploading', 'preparing', 'quoted', 'active', 'paused', 'stopping');

CREATE TABLE quotes (
  studio_id uuid NOT NULL,
  job_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT uuidv7(),
  chain_id bigint NOT NULL,
  contract address_hex NOT NULL,
  token address_hex NOT NULL,
  token_decimals int NOT NULL,
  -- Price of every unit of the job, and of one.
  total base_units NOT NULL,
  unit_price base_units NOT NULL,
  suggested_cap base_units NOT NULL,
  currency char(3) NOT NULL,
  cents_per_token_e6 bigint NOT NULL,
  tax_basis_points int NOT NULL,
  price_per_fbh base_units NOT NULL,
  -- Estimate of renderer/engine.ts that the price stands on.
  estimate jsonb NOT NULL,
  expires_at timestamptz NOT NULL,
  signature text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (studio_id, id),
  UNIQUE (studio_id, job_id),
  FOREIGN KEY (studio_id, job_id) REFERENCES jobs (studio_id, id) ON DELETE CASCADE
);

CREATE TABLE layers (
  studio_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT uuidv7(),
  job_id uuid NOT NULL,
  name text NOT NULL,
  PRIMARY KEY (studio_id, id),
  UNIQUE (studio_id, job_id, name),
  FOREIGN KEY (studio_id, job_id) REFERENCES jobs (studio_id, id) ON DELETE CASCADE
);

CREATE TABLE chunks (
  studio_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT uuidv7(),
  job_id uuid NOT NULL,
  layer_id uuid,
  -- 'estimate' chunks calibrate before the quote; they own no units and cost nothing.
  kind text NOT NULL CHECK (kind IN ('estimate', 'render')),
  index int NOT NULL,
  status text NOT NULL CHECK (status IN ('planned', 'offered', 'leased', 'completed', 'failed', 'cancelled')),
  -- OpenJD host requirements that a node's labels must meet.
  needs jsonb NOT NULL DEFAULT '{}',
  estimate_seconds double precision NOT NULL,
  -- Rises with every lease, never falls.
  lease_number bigint NOT NULL DEFAULT 0,
  node_id uuid REFERENCES nodes (id),
  lease_ends_at timestamptz,
  offered_at timestamptz,
  -- Nodes that shall not get this chunk again (refused frame, failed attempt) while others fit.
  avoid uuid[] NOT NULL DEFAULT '{}',
  -- Frames that an estimate chunk calibrates with; render chunks have units instead.
  estimate_frames int[] NOT NULL DEFAULT '{}',
  -- Answer of an estimate chunk: Estimate of renderer/engine.ts.
  result jsonb,
  problem jsonb,
  PRIMARY KEY (studio_id, id),
  UNIQUE (id),
  UNIQUE (studio_id, job_id, kind, index),
  FOREIGN KEY (studio_id, job_id) REFERENCES jobs (studio_id, id) ON DELETE CASCADE,
  FOREIGN KEY (studio_id, layer_id) REFERENCES layers (studio_id, id) ON DELETE CASCADE,
  CHECK ((status = 'leased') = (lease_ends_at IS NOT NULL AND node_id IS NOT NULL))
);
CREATE INDEX chunks_offered ON chunks (offered_at) WHERE status = 'offered';
CREATE INDEX chunks_leased ON chunks (lease_ends_at) WHERE status = 'leased';

-- Whether a node's labels meet a chunk's needs (OpenJD host requirements: {"amounts": [{"name", "min", "max"}],
-- "attributes": [{"name", "anyOf", "allOf"}]}). A label that a node lacks counts as 0 or as the empty list.
CREATE FUNCTION meets(labels jsonb, needs jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT NOT EXISTS (
    SELECT FROM jsonb_array_elements(coalesce(needs -> 'amounts', '[]')) AS a,
      LATERAL (SELECT CASE WHEN jsonb_typeof(labels -> (a ->> 'name')) = 'number'
        THEN (labels ->> (a ->> 'name'))::double precision ELSE 0 END AS has) AS l
    WHERE l.has < (a ->> 'min')::double precision OR l.has > (a ->> 'max')::double precision
  ) AND NOT EXISTS (
    SELECT FROM jsonb_array_elements(coalesce(needs -> 'attributes', '[]')) AS a,
      LATERAL (SELECT coalesce(labels -> (a ->> 'name'), '[]') AS has) AS l
    WHERE (a ? 'anyOf' AND NOT EXISTS (SELECT FROM jsonb_array_elements_text(a -> 'anyOf') AS v WHERE l.has ? v))
      OR (a ? 'allOf' AND NOT l.has @> (a -> 'allOf'))
  )
$$;

CREATE TABLE units (
  studio_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT uuidv7(),
  job_id uuid NOT NULL,
  layer_id uuid NOT NULL,
  chunk_id uuid NOT NULL,
  frame int NOT NULL,
  take int NOT NULL DEFAULT 1 CHECK (take > 0),
  tile int NOT NULL DEFAULT 0 CHECK (tile >= 0),
  status text NOT NULL CHECK (status IN
    ('planned', 'offered', 'leased', 'uploaded', 'verified', 'committed', 'failed', 'cancelled')),
  -- Fixed when the job is planned.
  chain_id bigint NOT NULL,
  contract address_hex NOT NULL,
  token address_hex NOT NULL,
  token_decimals int NOT NULL,
  price base_units NOT NULL,
  reserved boolean NOT NULL DEFAULT false,
  -- Lease under which the unit is worked on; a result that carries another one is refused.
  lease_number bigint,
  node_id uuid REFERENCES nodes (id),
  -- [{kind: 'exr' | 'preview', hash, sizeBytes}]
  artifacts jsonb,
  -- {renderSeconds, samples, rays, width, height, channels}
  measurements jsonb,
  -- [{code: 'Black' | 'Duplicate', message}]
  warnings jsonb NOT NULL DEFAULT '[]',
  -- Frames refused by verify: [{at, nodeId, code, message}]
  refusals jsonb NOT NULL DEFAULT '[]',
  committed_at timestamptz,
  PRIMARY KEY (studio_id, id),
  UNIQUE (studio_id, job_id, layer_id, frame, take, tile),
  FOREIGN KEY (studio_id, job_id) REFERENCES jobs (studio_id, id),
  FOREIGN KEY (studio_id, layer_id) REFERENCES layers (studio_id, id),
  FOREIGN KEY (studio_id, chunk_id) REFERENCES chunks (studio_id, id),
  CHECK ((status = 'committed') = (committed_at IS NOT NULL)),
  CHECK (status <> 'committed' OR (artifacts IS NOT NULL AND node_id IS NOT NULL AND lease_number IS NOT NULL AND NOT reserved))
);
CREATE INDEX units_by_chunk ON units (chunk_id);
CREATE INDEX units_by_job ON units (studio_id, job_id, frame, layer_id, take, tile);

-- A committed unit never changes and never disappears.
CREATE FUNCTION refuse_committed_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'unit % is committed and cannot change', OLD.id USING ERRCODE = 'FW001';
END $$;
CREATE TRIGGER units_committed_is_final BEFORE UPDATE OR DELETE ON units
  FOR EACH ROW WHEN (OLD.status = 'committed') EXECUTE FUNCTION refuse_committed_change();

CREATE TABLE attempts (
  studio_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT uuidv7(),
  job_id uuid NOT NULL,
  chunk_id uuid NOT NULL,
  lease_number bigint NOT NULL,
  node_id uuid NOT NULL REFERENCES nodes (id),
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  outcome text CHECK (outcome IN ('completed', 'failed', 'lost', 'cancelled', 'handed-back')),
  problem jsonb,
  PRIMARY KEY (studio_id, id),
  UNIQUE (studio_id, chunk_id, lease_number),
  FOREIGN KEY (studio_id, job_id) REFERENCES jobs (studio_id, id) ON DELETE CASCADE,
  FOREIGN KEY (studio_id, chunk_id) REFERENCES chunks (studio_id, id) ON DELETE CASCADE
);

CREATE INDEX attempts_by_node ON attempts (job_id, node_id) WHERE outcome = 'failed';

-- Append-only, numbered per job under the job's lock. Feeds server-sent events and rebuilds.
CREATE TABLE job_events (
  studio_id uuid NOT NULL,
  job_id uuid NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  -- See domain/events.ts
  type text NOT NULL,
  data jsonb NOT NULL,
  PRIMARY KEY (studio_id, job_id, seq),
  FOREIGN KEY (studio_id, job_id) REFERENCES jobs (studio_id, id) ON DELETE CASCADE
);

-- ---------------------------------------------------------------- money

-- Double entry. Accounts by name: see domain/money/accounts.ts. Each journal sums to zero.
CREATE TABLE ledger_journals (
  studio_id uuid NOT NULL REFERENCES studios (id),
  id uuid NOT NULL DEFAULT uuidv7(),
  job_id uuid,
  kind text NOT NULL CHECK (kind IN ('deposit', 'reserve', 'release', 'commit', 'payout', 'refund', 'fee')),
  -- What makes the journal happen once: unit, transaction hash, …
  reference text NOT NULL,
  chain_id bigint NOT NULL,
  contract address_hex NOT NULL,
  token address_hex NOT NULL,
  token_decimals int NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (studio_id, id),
  UNIQUE (studio_id, kind, reference),
  FOREIGN KEY (studio_id, job_id) REFERENCES jobs (studio_id, id)
);

CREATE TABLE ledger_postings (
  studio_id uuid NOT NULL,
  journal_id uuid NOT NULL,
  account text NOT NULL,
  amount numeric(78, 0) NOT NULL CHECK (amount <> 0),
  PRIMARY KEY (studio_id, journal_id, account),
  FOREIGN KEY (studio_id, journal_id) REFERENCES ledger_journals (studio_id, id)
);
CREATE INDEX ledger_postings_by_account ON ledger_postings (studio_id, account);

CREATE FUNCTION check_journal_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE total numeric;
BEGIN
  SELECT coalesce(sum(amount), 0) INTO total FROM farm.ledger_postings
    WHERE studio_id = NEW.studio_id AND journal_id = NEW.journal_id;
  IF total <> 0 THEN
    RAISE EXCEPTION 'journal % sums to %', NEW.journal_id, total USING ERRCODE = 'FW002';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_journal_balances AFTER INSERT ON ledger_postings
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_journal_balance();

-- Cumulative per (job, node); only the newest sequence matters.
CREATE TABLE receipts (
  studio_id uuid NOT NULL,
  job_id uuid NOT NULL,
  node_id uuid NOT NULL REFERENCES nodes (id),
  sequence bigint NOT NULL CHECK (sequence > 0),
  chain_id bigint NOT NULL,
  contract address_hex NOT NULL,
  token address_hex NOT NULL,
  token_decimals int NOT NULL,
  cumulative base_units NOT NULL,
  unit_count int NOT NULL,
  units_root text NOT NULL CHECK (units_root ~ '^0x[0-9a-f]{64}$'),
  node_signature text,
  session_signature text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (studio_id, job_id, node_id, sequence),
  FOREIGN KEY (studio_id, job_id) REFERENCES jobs (studio_id, id)
);

-- One line a committed unit: what a receipt covers and an invoice bills. A unit can have one line only.
CREATE TABLE receipt_lines (
  studio_id uuid NOT NULL,
  unit_id uuid NOT NULL,
  job_id uuid NOT NULL,
  node_id uuid NOT NULL REFERENCES nodes (id),
  chunk_id uuid NOT NULL,
  lease_number bigint NOT NULL,
  -- Position among the job's committed units, from 1 without a gap. A receipt of n units covers the node's first n lines.
  line int NOT NULL CHECK (line > 0),
  chain_id bigint NOT NULL,
  contract address_hex NOT NULL,
  token address_hex NOT NULL,
  token_decimals int NOT NULL,
  amount base_units NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (studio_id, unit_id),
  UNIQUE (studio_id, job_id, line),
  FOREIGN KEY (studio_id, unit_id) REFERENCES units (studio_id, id),
  FOREIGN KEY (studio_id, chunk_id) REFERENCES chunks (studio_id, id),
  FOREIGN KEY (studio_id, job_id) REFERENCES jobs (studio_id, id)
);

CREATE TABLE invoice_counters (
  studio_id uuid NOT NULL REFERENCES studios (id),
  year int NOT NULL,
  last int NOT NULL,
  PRIMARY KEY (studio_id, year)
);

CREATE TABLE invoices (
  studio_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT uuidv7(),
  job_id uuid NOT NULL,
  number text NOT NULL,
  issued_at timestamptz NOT NULL DEFAULT now(),
  -- The whole document as computed by domain/money/invoice.ts; lines stand in invoice_lines.
  document jsonb NOT NULL,
  chain_id bigint NOT NULL,
  contract address_hex NOT NULL,
  token address_hex NOT NULL,
  token_decimals int NOT NULL,
  total base_units NOT NULL,
  currency char(3) NOT NULL,
  net_cents bigint NOT NULL,
  tax_cents bigint NOT NULL,
  gross_cents bigint NOT NULL,
  root text NOT NULL,
  transaction_hash text,
  status text NOT NULL DEFAULT 'issued' CHECK (status IN ('issued', 'posted', 'paid')),
  PRIMARY KEY (studio_id, id),
  UNIQUE (studio_id, number),
  UNIQUE (studio_id, job_id),
  FOREIGN KEY (studio_id, job_id) REFERENCES jobs (studio_id, id),
  CHECK (net_cents + tax_cents = gross_cents)
);

-- A line for each (node, chunk) down to its units.
CREATE TABLE invoice_lines (
  studio_id uuid NOT NULL,
  invoice_id uuid NOT NULL,
  line int NOT NULL CHECK (line > 0),
  node_id uuid NOT NULL REFERENCES nodes (id),
  chunk_id uuid NOT NULL,
  -- [{unitId, frame, take, tile, amount, exrHash}]
  units jsonb NOT NULL,
  amount base_units NOT NULL,
  net_cents bigint NOT NULL,
  salt text NOT NULL,
  leaf text NOT NULL,
  proof jsonb NOT NULL,
  PRIMARY KEY (studio_id, invoice_id, line),
  FOREIGN KEY (studio_id, invoice_id) REFERENCES invoices (studio_id, id),
  FOREIGN KEY (studio_id, chunk_id) REFERENCES chunks (studio_id, id)
);

-- An issued invoice keeps its number, lines and sums; only its way to the chain goes on.
CREATE FUNCTION refuse_invoice_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'invoice % is issued and cannot change', OLD.number USING ERRCODE = 'FW004';
END $$;
CREATE TRIGGER invoices_are_fixed BEFORE UPDATE ON invoices FOR EACH ROW
  WHEN ((OLD.job_id, OLD.number, OLD.issued_at, OLD.document, OLD.chain_id, OLD.contract, OLD.token, OLD.token_decimals,
      OLD.total, OLD.currency, OLD.net_cents, OLD.tax_cents, OLD.gross_cents, OLD.root)
    IS DISTINCT FROM (NEW.job_id, NEW.number, NEW.issued_at, NEW.document, NEW.chain_id, NEW.contract, NEW.token,
      NEW.token_decimals, NEW.total, NEW.currency, NEW.net_cents, NEW.tax_cents, NEW.gross_cents, NEW.root))
  EXECUTE FUNCTION refuse_invoice_change();

-- Signed before sent: a process killed in between sends the same bytes again.
CREATE TABLE chain_transactions (
  studio_id uuid NOT NULL REFERENCES studios (id),
  id uuid NOT NULL DEFAULT uuidv7(),
  job_id uuid,
  -- deposit, top-up, post-batch, claim, refund
  kind text NOT NULL,
  -- What makes the transaction happen once, e.g. "deposit:<job>" or "claim:<job>:<node>".
  reference text NOT NULL,
  chain_id bigint NOT NULL,
  sender address_hex NOT NULL,
  nonce bigint NOT NULL,
  hash text NOT NULL,
  raw text NOT NULL,
  status text NOT NULL DEFAULT 'signed' CHECK (status IN ('signed', 'sent', 'confirmed', 'failed', 'replaced')),
  block_number bigint,
  gas_used bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (studio_id, id),
  FOREIGN KEY (studio_id, job_id) REFERENCES jobs (studio_id, id)
);
CREATE UNIQUE INDEX chain_transactions_once ON chain_transactions (studio_id, reference) WHERE status NOT IN ('failed', 'replaced');
CREATE UNIQUE INDEX chain_transactions_nonce ON chain_transactions (chain_id, lower(sender), nonce)
  WHERE status NOT IN ('failed', 'replaced');

CREATE TABLE chain_events (
  chain_id bigint NOT NULL,
  contract address_hex NOT NULL,
  block_number bigint NOT NULL,
  log_index int NOT NULL,
  block_hash text NOT NULL,
  transaction_hash text NOT NULL,
  name text NOT NULL,
  data jsonb NOT NULL,
  PRIMARY KEY (chain_id, block_number, log_index)
);

-- ---------------------------------------------------------------- plumbing

-- What must reach Temporal or the chain, written in the transaction that decided it.
CREATE TABLE outbox (
  studio_id uuid NOT NULL REFERENCES studios (id),
  id uuid NOT NULL DEFAULT uuidv7(),
  -- 'start-workflow' | 'signal-workflow'
  topic text NOT NULL,
  payload jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  done_at timestamptz,
  attempts int NOT NULL DEFAULT 0,
  last_error text,
  PRIMARY KEY (studio_id, id)
);
CREATE INDEX outbox_open ON outbox (created_at) WHERE done_at IS NULL;

CREATE TABLE idempotency_keys (
  studio_id uuid NOT NULL REFERENCES studios (id),
  key text NOT NULL,
  request_hash sha256_hex NOT NULL,
  status int,
  response jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (studio_id, key)
);

CREATE TABLE audit_log (
  studio_id uuid NOT NULL REFERENCES studios (id),
  id uuid NOT NULL DEFAULT uuidv7(),
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  data jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (studio_id, id)
);

-- ---------------------------------------------------------------- append-only tables

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'FW003';
END $$;
CREATE TRIGGER ledger_postings_append_only BEFORE UPDATE OR DELETE ON ledger_postings FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_journals_append_only BEFORE UPDATE OR DELETE ON ledger_journals FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER receipt_lines_append_only BEFORE UPDATE OR DELETE ON receipt_lines FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER invoice_lines_append_only BEFORE UPDATE OR DELETE ON invoice_lines FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER job_events_no_update BEFORE UPDATE ON job_events FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- ---------------------------------------------------------------- roles and row-level security

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['blobs', 'projects', 'project_versions', 'version_blobs', 'jobs', 'quotes', 'layers', 'chunks',
    'units', 'attempts', 'job_events', 'ledger_journals', 'ledger_postings', 'receipts', 'receipt_lines',
    'invoice_counters', 'invoices', 'invoice_lines', 'chain_transactions', 'outbox', 'idempotency_keys', 'audit_log'] LOOP
    EXECUTE format('ALTER TABLE farm.%I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE farm.%I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format($p$CREATE POLICY tenant ON farm.%I TO farm_app
      USING (studio_id = nullif(current_setting('farm.studio_id', true), '')::uuid)
      WITH CHECK (studio_id = nullif(current_setting('farm.studio_id', true), '')::uuid)$p$, t);
    EXECUTE format('CREATE POLICY service ON farm.%I TO farm_service USING (true) WITH CHECK (true)', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON farm.%I TO farm_app, farm_service', t);
  END LOOP;
  -- Only what a refused submission brought may be deleted, and keys of requests that failed; the rest of a job goes by cascade.
  FOREACH t IN ARRAY ARRAY['blobs', 'jobs', 'idempotency_keys'] LOOP
    EXECUTE format('GRANT DELETE ON farm.%I TO farm_app, farm_service', t);
  END LOOP;
END $$;

ALTER TABLE studios ENABLE ROW LEVEL SECURITY;
ALTER TABLE studios FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON studios TO farm_app USING (id = nullif(current_setting('farm.studio_id', true), '')::uuid);
CREATE POLICY service ON studios TO farm_service USING (true) WITH CHECK (true);

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON api_keys TO farm_app USING (studio_id = nullif(current_setting('farm.studio_id', true), '')::uuid);
CREATE POLICY service ON api_keys TO farm_service USING (true) WITH CHECK (true);

GRANT USAGE ON SCHEMA farm TO farm_app, farm_service;
GRANT SELECT ON studios, api_keys, sites, tariffs, deployments TO farm_app;
GRANT SELECT (id, site_id, name, account, status, engine, engine_build, tier, device, threads, memory_bytes, score, labels,
  joined_at, last_seen_at) ON nodes TO farm_app;
GRANT SELECT, INSERT, UPDATE ON studios, api_keys, sites, nodes, tariffs, deployments, chain_events TO farm_service;
GRANT DELETE ON chain_events TO farm_service;
