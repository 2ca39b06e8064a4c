#!/bin/sh
# The database's server as its own image would start it: makes its cluster
# where there is none, with the password from a file, and drops root first.
set -eu
data=/var/lib/postgresql/data
as() { setpriv --reuid 999 --regid 999 --clear-groups "$@"; }
chown 999:999 "$data" /run/postgresql
if [ ! -e "$data/PG_VERSION" ]; then
  # shellcheck disable=SC2086 # a list of words
  as initdb $POSTGRES_INITDB_ARGS --pgdata "$data" \
    --username "$POSTGRES_USER" \
    --pwfile "$POSTGRES_PASSWORD_FILE" --auth-host scram-sha-256 \
    --auth-local trust >/dev/null
  echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
  as pg_ctl --pgdata "$data" --wait --silent \
    --options "-k /run/postgresql -c listen_addresses=" start >/dev/null
  as createdb --host /run/postgresql --username "$POSTGRES_USER" "$POSTGRES_DB"
  as pg_ctl --pgdata "$data" --wait --silent stop >/dev/null
fi
exec setpriv --reuid 999 --regid 999 --clear-groups \
  postgres -D "$data" -k /run/postgresql -c 'listen_addresses=*'
