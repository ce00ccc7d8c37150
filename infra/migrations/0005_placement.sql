-- Placement: which sites may take a job's chunks at all. What a studio pinned binds; where a chunk was placed does not.
SET LOCAL search_path = farm;

-- `placement` as `jobs` keeps it. A site that drains or is lost takes nothing new.
CREATE FUNCTION may_render(placement jsonb, site uuid) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT s.status = 'online'
    AND coalesce(placement #> '{wish,sites}' @> to_jsonb(s.name), true)
    AND (placement #>> '{wish,country}' IS NULL OR coalesce(placement #>> '{wish,country}' = s.country, false))
  FROM farm.sites AS s WHERE s.id = site
$$;

-- Chunks by the site they are placed at: looked at when a site is idle, behind or lost.
CREATE INDEX chunks_by_site ON chunks (site_id) WHERE status IN ('planned', 'offered', 'leased');
