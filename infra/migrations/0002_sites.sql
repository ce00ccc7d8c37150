-- Sites: places with an object store, nodes, a link and a price. Data lies where it was made or staged; home keeps the
-- copy of record of project data.
SET LOCAL search_path = farm;

ALTER TABLE sites
  ADD COLUMN kind text NOT NULL DEFAULT 'edge' CHECK (kind IN ('home', 'edge')),
  ADD COLUMN status text NOT NULL DEFAULT 'online' CHECK (status IN ('online', 'draining', 'lost', 'removed')),
  -- ISO 3166-1 alpha-2; some films may not leave a country.
  ADD COLUMN country char(2) CHECK (country ~ '^[A-Z]{2}$'),
  -- Payload that the site's link carries, bytes a second: towards the site, and away from it. Null: not known, not a limit.
  ADD COLUMN link_down_bytes double precision CHECK (link_down_bytes > 0),
  ADD COLUMN link_up_bytes double precision CHECK (link_up_bytes > 0),
  -- Price of work here relative to the tariff, in millionths.
  ADD COLUMN price_factor_e6 bigint NOT NULL DEFAULT 1000000 CHECK (price_factor_e6 > 0),
  -- When its store or one of its nodes was last heard from.
  ADD COLUMN last_seen_at timestamptz;

INSERT INTO sites (name, kind) VALUES ('local', 'home') ON CONFLICT (name) DO UPDATE SET kind = 'home';

-- How a site's store is reached. A site without a row keeps its data at home. Credentials: the service's eyes only.
CREATE TABLE site_stores (
  site_id uuid PRIMARY KEY REFERENCES sites (id),
  -- URL under which the farm's own processes and the studios reach the store, and the one that nodes of the site use.
  endpoint text NOT NULL,
  near_endpoint text NOT NULL,
  region text NOT NULL,
  bucket text NOT NULL,
  access_key text NOT NULL,
  secret_key text NOT NULL,
  -- The site agent (workers/site) beside the store: verifies frames where they lie. Null: none.
  agent_url text,
  agent_token text,
  updated_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON site_stores TO farm_service;

-- Copies of a studio's bytes at sites, beside those at home.
CREATE TABLE object_copies (
  studio_id uuid NOT NULL REFERENCES studios (id),
  kind text NOT NULL CHECK (kind IN ('blobs', 'frames')),
  hash sha256_hex NOT NULL,
  site_id uuid NOT NULL REFERENCES sites (id),
  made_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (studio_id, kind, hash, site_id)
);
CREATE INDEX object_copies_by_site ON object_copies (site_id);
ALTER TABLE object_copies ENABLE ROW LEVEL SECURITY;
ALTER TABLE object_copies FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON object_copies TO farm_app
  USING (studio_id = nullif(current_setting('farm.studio_id', true), '')::uuid)
  WITH CHECK (studio_id = nullif(current_setting('farm.studio_id', true), '')::uuid);
CREATE POLICY service ON object_copies TO farm_service USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON object_copies TO farm_app, farm_service;

-- Where a unit's files were put; null: home.
ALTER TABLE units ADD COLUMN site_id uuid REFERENCES sites (id);
-- Where a chunk shall be rendered; null: anywhere.
ALTER TABLE chunks ADD COLUMN site_id uuid REFERENCES sites (id);
-- What the studio asked for and what was decided: domain/placement.ts.
ALTER TABLE jobs ADD COLUMN placement jsonb NOT NULL DEFAULT '{}';
