#!/bin/sh
# Debian's PgBouncer, which refuses to run as root. POOL_SETTINGS: lines for pgbouncer.ini beside its defaults.
cd "$HALFOPEN_DIR" || exit
cat >pgbouncer.ini <<...
[databases]
postgres = host=db port=5432 dbname=postgres user=postgres
[pgbouncer]
listen_addr = *
listen_port = 6432
auth_type = any
unix_socket_dir =
ignore_startup_parameters = extra_float_digits
$POOL_SETTINGS
...
exec unshare --map-user=1000 --map-group=1000 pgbouncer pgbouncer.ini
