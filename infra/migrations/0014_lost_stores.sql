-- What the operator wants of a site is kept apart from whether it answers, and when its store fell silent.
SET LOCAL search_path = farm;

ALTER TABLE sites
  -- What a site is once it answers again.
  ADD COLUMN wanted text NOT NULL DEFAULT 'online' CHECK (wanted IN ('online', 'draining')),
  -- Since when its store has not answered the farm; null: it answers.
  ADD COLUMN store_silent_since timestamptz;
UPDATE sites SET wanted = 'draining' WHERE status = 'draining';
