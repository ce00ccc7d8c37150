-- Uploads go ahead of the submission that will name them, so that sending overlaps with hashing; and files may be put
-- together from parts of blobs.
SET LOCAL search_path = farm;

-- Blobs that a studio was given addresses to put, until a submission names them or the time runs out. As long as a row
-- is here the object is not garbage, and a resumed upload asks the store whether it arrived.
CREATE TABLE blob_uploads (
  studio_id uuid NOT NULL REFERENCES studios (id),
  hash sha256_hex NOT NULL,
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (studio_id, hash)
);
CREATE INDEX blob_uploads_by_expiry ON blob_uploads (expires_at);
ALTER TABLE blob_uploads ENABLE ROW LEVEL SECURITY;
ALTER TABLE blob_uploads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON blob_uploads TO farm_app
  USING (studio_id = nullif(current_setting('farm.studio_id', true), '')::uuid)
  WITH CHECK (studio_id = nullif(current_setting('farm.studio_id', true), '')::uuid);
CREATE POLICY service ON blob_uploads TO farm_service USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON blob_uploads TO farm_app, farm_service;

-- Hashes of the blobs that a submission or manifest names, as `blobsOfFiles` in domain/projectFiles.ts: the blob that a
-- file is, or those of its parts. May repeat.
CREATE FUNCTION blobs_named_by(document jsonb) RETURNS SETOF text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
  SELECT coalesce(part ->> 'blob', file ->> 'hash')
  FROM jsonb_array_elements(document -> 'files') AS file
    LEFT JOIN LATERAL jsonb_array_elements(file -> 'parts') AS part ON true
$$;
