-- Sites that did not answer when film and contact sheet were made: both show gaps for what lies there, and are made again when
-- one of them answers.
SET LOCAL search_path = farm;

ALTER TABLE jobs ADD COLUMN away_sites uuid[] NOT NULL DEFAULT '{}';
CREATE INDEX jobs_with_gaps ON jobs USING gin (away_sites) WHERE away_sites <> '{}';
