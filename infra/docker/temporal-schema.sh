#!/bin/sh
# Makes or updates Temporal's databases. Every step may be repeated: what exists is kept.
set -eu
for database in temporal visibility; do
  name=temporal
  [ "$database" = visibility ] && name=temporal_visibility
  tool() { temporal-sql-tool --plugin "$DB" --ep "$POSTGRES_SEEDS" --port "$DB_PORT" --user "$POSTGRES_USER" --db "$name" "$@"; }
  tool create
  tool setup-schema -v 0.0 || true
  tool update-schema -d "/etc/temporal/schema/postgresql/v12/$database/versioned"
done
