-- Project data that the farm had and lost: its bytes at home are gone or wrong, and no other place has them. The versions that name it
-- stay; the next upload of the same bytes is asked for them.
SET LOCAL search_path = farm;

ALTER TABLE blobs ADD COLUMN lost_at timestamptz;
