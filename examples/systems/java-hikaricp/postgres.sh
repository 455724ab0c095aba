#!/bin/sh
# Debian's PostgreSQL with a database of its own in HALFOPEN_DIR; it is kept when the host comes back.
PATH=/usr/lib/postgresql/15/bin:$PATH
cd "$HALFOPEN_DIR" || exit
if [ ! -d db ]; then
  initdb -D db -U postgres --auth=trust --no-sync >initdb.log || exit
  echo 'host all all all trust' >>db/pg_hba.conf
fi
exec postgres -D db -h '*' -k "$HALFOPEN_DIR"
