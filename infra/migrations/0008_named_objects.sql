-- What the stores must hold. Two questions with one answer each: is this object garbage (nothing names it), and is everything
-- there that the record says is there.
SET LOCAL search_path = farm;

-- Every object that something names, wherever it lies: manifests, submissions and uploads under way, units whatever their
-- state (a lease's among them), the frame cache, outputs. What is not in here may be collected.
CREATE VIEW named_objects WITH (security_invoker = true) AS
  SELECT studio_id, 'blobs' AS kind, hash::text AS hash FROM version_blobs
  UNION ALL
  SELECT j.studio_id, 'blobs', named FROM jobs AS j, blobs_named_by(j.submission) AS named
    WHERE j.status IN ('uploading', 'preparing')
  UNION ALL
  SELECT studio_id, 'blobs', hash::text FROM blob_uploads
  UNION ALL
  SELECT studio_id, 'frames', a ->> 'hash' FROM units, jsonb_array_elements(artifacts) AS a
  UNION ALL
  SELECT studio_id, 'frames', a ->> 'hash' FROM frame_cache, jsonb_array_elements(artifacts) AS a
  UNION ALL
  SELECT studio_id, 'outputs', o ->> 'hash' FROM jobs, jsonb_path_query(outputs, '$.*') AS o;

-- Every object that must lie whole in a store, with the site (null: home). `copy` rows may be given up: another place has
-- the copy of record.
CREATE VIEW stored_objects WITH (security_invoker = true) AS
  SELECT studio_id, 'blobs' AS kind, hash::text AS hash, NULL::uuid AS site_id, size_bytes, false AS copy FROM blobs
  UNION
  SELECT studio_id, 'frames', a ->> 'hash', site_id, (a ->> 'sizeBytes')::bigint, false
    FROM units, jsonb_array_elements(artifacts) AS a WHERE status = 'committed'
  UNION
  SELECT studio_id, 'outputs', o ->> 'hash', NULL, (o ->> 'sizeBytes')::bigint, false
    FROM jobs, jsonb_path_query(outputs, '$.*') AS o
  UNION
  SELECT studio_id, kind, hash::text, site_id, NULL, true FROM object_copies;

GRANT SELECT ON named_objects, stored_objects TO farm_service;
