-- What has reached the studio: it says so itself, by unit and hash (farm pull). A committed unit never changes, so that this
-- is a table of its own.
SET LOCAL search_path = farm;

CREATE TABLE deliveries (
  studio_id uuid NOT NULL,
  unit_id uuid NOT NULL,
  job_id uuid NOT NULL,
  delivered_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (studio_id, unit_id),
  FOREIGN KEY (studio_id, unit_id) REFERENCES units (studio_id, id),
  FOREIGN KEY (studio_id, job_id) REFERENCES jobs (studio_id, id)
);
CREATE INDEX deliveries_by_job ON deliveries (studio_id, job_id);
ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON deliveries TO farm_app
  USING (studio_id = nullif(current_setting('farm.studio_id', true), '')::uuid)
  WITH CHECK (studio_id = nullif(current_setting('farm.studio_id', true), '')::uuid);
CREATE POLICY service ON deliveries TO farm_service USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON deliveries TO farm_app, farm_service;
-- Said once; only the first time counts.
CREATE TRIGGER deliveries_append_only BEFORE UPDATE OR DELETE ON deliveries FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- DELIVERY_TRANSITIONS of domain/statuses.ts. Money does not wait for it: a job is settled first.
ALTER TABLE jobs
  ADD COLUMN delivery text NOT NULL DEFAULT 'on-demand' CHECK (delivery IN ('on-demand', 'awaited', 'overdue', 'delivered')),
  ADD COLUMN delivered_units int NOT NULL DEFAULT 0 CHECK (delivered_units >= 0),
  ADD COLUMN delivered_at timestamptz,
  ADD CONSTRAINT jobs_delivered_when CHECK ((delivery = 'delivered') = (delivered_at IS NOT NULL));
