-- Whether a frame equals another of its job is asked once for each frame, so it must not read all of them.
SET LOCAL search_path = farm;

CREATE INDEX units_by_exr ON units
  (studio_id, job_id, (jsonb_path_query_first(artifacts, '$[*] ? (@.kind == "exr").hash') #>> '{}'))
  WHERE status = 'committed';
