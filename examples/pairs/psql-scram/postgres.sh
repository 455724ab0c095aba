#!/bin/sh
# PostgreSQL that asks for a password by SCRAM; arguments are further ones of postgres. It refuses to run as root,
# which is who a program is in the lab.
# shellcheck disable=SC2016 # the inner shell expands it
exec unshare --map-user=1000 --map-group=1000 sh -c '
  PATH=/usr/lib/postgresql/15/bin:$PATH
  cd "$HALFOPEN_DIR" || exit 1
  if [ ! -d db ]; then
    echo secret >password
    initdb -D db -U postgres --auth=scram-sha-256 --pwfile=password --no-sync >initdb.log
    echo "host all all all scram-sha-256" >>db/pg_hba.conf
  fi
  exec postgres -D db -h "*" -k "$HALFOPEN_DIR" "$@"' sh "$@"
