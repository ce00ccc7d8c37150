-- The frame cache: committed frames by what their bits follow from (domain/frameKey.ts). A frame that is known is committed
-- when its job is planned: no node renders it, nobody is billed for it.
SET LOCAL search_path = farm;

CREATE TABLE frame_cache (
  studio_id uuid NOT NULL,
  key sha256_hex NOT NULL,
  -- The unit that was rendered, and paid.
  unit_id uuid NOT NULL,
  -- As in units.
  artifacts jsonb NOT NULL,
  measurements jsonb NOT NULL,
  warnings jsonb NOT NULL DEFAULT '[]',
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  site_id uuid REFERENCES sites (id),
  made_at timestamptz NOT NULL DEFAULT now(),
  -- When a quote or a plan last counted on it; decides what is evicted first.
  used_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (studio_id, key),
  FOREIGN KEY (studio_id, unit_id) REFERENCES units (studio_id, id)
);
CREATE INDEX frame_cache_by_use ON frame_cache (used_at);
ALTER TABLE frame_cache ENABLE ROW LEVEL SECURITY;
ALTER TABLE frame_cache FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON frame_cache TO farm_app
  USING (studio_id = nullif(current_setting('farm.studio_id', true), '')::uuid)
  WITH CHECK (studio_id = nullif(current_setting('farm.studio_id', true), '')::uuid);
CREATE POLICY service ON frame_cache TO farm_service USING (true) WITH CHECK (true);
GRANT SELECT ON frame_cache TO farm_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON frame_cache TO farm_service;

-- What a unit is made from: the half of its key that is known before a node takes it. Null: not for the cache.
ALTER TABLE units ADD COLUMN input_hash sha256_hex;
-- Committed from the cache: no lease, no price, no receipt line; the node is the one that rendered it then.
ALTER TABLE units ADD COLUMN cached boolean NOT NULL DEFAULT false;
ALTER TABLE units DROP CONSTRAINT units_check1;
ALTER TABLE units ADD CONSTRAINT units_committed_is_whole CHECK (status <> 'committed' OR
  (artifacts IS NOT NULL AND node_id IS NOT NULL AND NOT reserved AND (cached OR lease_number IS NOT NULL)));
ALTER TABLE units ADD CONSTRAINT units_cached_is_free CHECK (NOT cached OR (status = 'committed' AND price = 0));

-- Cached units of a job hang on a chunk of their own, which no node ever sees.
ALTER TABLE chunks DROP CONSTRAINT chunks_kind_check;
ALTER TABLE chunks ADD CONSTRAINT chunks_kind_check CHECK (kind IN ('estimate', 'render', 'cache'));

-- Committed units that came from the cache; committed_units counts the others, which have receipt lines.
ALTER TABLE jobs ADD COLUMN cached_units int NOT NULL DEFAULT 0;
-- What the quote takes from the cache: {frames: "1-37", count: 37, note: null}; the note says why nothing is.
ALTER TABLE quotes ADD COLUMN cache jsonb NOT NULL DEFAULT '{"frames": "", "count": 0, "note": null}';

CREATE FUNCTION refuse_cached_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM farm.units WHERE studio_id = NEW.studio_id AND id = NEW.unit_id AND cached) THEN
    RAISE EXCEPTION 'unit % came from the cache and is not billed', NEW.unit_id USING ERRCODE = 'FW005';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER receipt_lines_not_cached BEFORE INSERT ON receipt_lines FOR EACH ROW EXECUTE FUNCTION refuse_cached_line();
