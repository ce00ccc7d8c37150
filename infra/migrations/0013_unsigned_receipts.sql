-- Whether a receipt waits for a node is asked with each of its heartbeats and claims, so it must not read all receipts.
SET LOCAL search_path = farm;

CREATE INDEX receipts_unsigned ON receipts (node_id) WHERE node_signature IS NULL;
