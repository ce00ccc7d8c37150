-- Whoever looks at the sites hears when one changes, or a node of one comes, goes or falls silent. Not of each heartbeat.
SET LOCAL search_path = farm;

CREATE FUNCTION tell_sites() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('farm_sites', 'changed');
  RETURN NULL;
END $$;
CREATE TRIGGER sites_told AFTER INSERT ON sites FOR EACH ROW EXECUTE FUNCTION tell_sites();
CREATE TRIGGER sites_change_told AFTER UPDATE ON sites FOR EACH ROW
  WHEN ((OLD.status, OLD.country, OLD.link_down_bytes, OLD.link_up_bytes, OLD.price_factor_e6)
    IS DISTINCT FROM (NEW.status, NEW.country, NEW.link_down_bytes, NEW.link_up_bytes, NEW.price_factor_e6))
  EXECUTE FUNCTION tell_sites();
CREATE TRIGGER nodes_told AFTER INSERT ON nodes FOR EACH ROW EXECUTE FUNCTION tell_sites();
CREATE TRIGGER nodes_change_told AFTER UPDATE ON nodes FOR EACH ROW
  WHEN ((OLD.status, OLD.site_id) IS DISTINCT FROM (NEW.status, NEW.site_id)) EXECUTE FUNCTION tell_sites();
