#!/bin/sh
# Runs once, when the database's volume is new: Temporal gets a role of its own, which makes its two databases itself.
set -eu
psql --username postgres --set ON_ERROR_STOP=1 --set password="$TEMPORAL_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE temporal LOGIN CREATEDB PASSWORD :'password';
SQL
