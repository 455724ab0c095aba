#!/bin/sh
# mariadb-server with a user who has a password; arguments are further ones of mariadbd.
cd "$HALFOPEN_DIR" || exit 1
if [ ! -d db ]; then
  mariadb-install-db --no-defaults --user=root --datadir="$HALFOPEN_DIR/db" --skip-test-db >install.log 2>&1
  echo "create user if not exists judge@'%' identified by 'secret';" >first.sql
fi
exec mariadbd --no-defaults --user=root --datadir="$HALFOPEN_DIR/db" --socket="$HALFOPEN_DIR/socket" \
  --pid-file="$HALFOPEN_DIR/pid" --bind-address='*' --port=3306 --init-file="$HALFOPEN_DIR/first.sql" "$@"
