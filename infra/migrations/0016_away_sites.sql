-- Sites that did not answer when film and contact sheet were made: both show gaps for what lies there, and are made again when
-- one of them answers, at most once an hour. What older builds made with gaps stays as it is.
SET LOCAL search_path = farm;

ALTER TABLE jobs
  ADD COLUMN away_sites uuid[] NOT NULL DEFAULT '{}',
  ADD COLUMN assembled_again_at timestamptz;
CREATE INDEX jobs_with_gaps ON jobs (assembled_again_at) WHERE away_sites <> '{}';
