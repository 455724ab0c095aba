#!/bin/sh
# Debian's MariaDB with a database of its own in HALFOPEN_DIR; it is kept when the host comes back.
cd "$HALFOPEN_DIR" || exit
if [ ! -d db ]; then
  mariadb-install-db --no-defaults --user=root --datadir="$HALFOPEN_DIR/db" --skip-test-db >install.log || exit
  printf '%s;\n' 'create database if not exists app' "create user if not exists app@'%'" \
    "grant all on app.* to app@'%'" >start.sql
fi
exec mariadbd --no-defaults --user=root --datadir="$HALFOPEN_DIR/db" --socket="$HALFOPEN_DIR/socket" \
  --pid-file="$HALFOPEN_DIR/pid" --bind-address='*' --skip-name-resolve --init-file="$HALFOPEN_DIR/start.sql"
