#!/bin/sh
# Debian's Apache (mpm_event) with its defaults, all files in its host's folder; arguments are further directives.
mkdir -p "$HALFOPEN_DIR/www"
seq 1000 >"$HALFOPEN_DIR/www/numbers"
chmod 755 "$HALFOPEN_DIR"
modules=/usr/lib/apache2/modules
cat >"$HALFOPEN_DIR/apache.conf" <<CONF
ServerRoot $HALFOPEN_DIR
ServerName server
PidFile $HALFOPEN_DIR/pid
ErrorLog /dev/stderr
Listen 80
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule reqtimeout_module $modules/mod_reqtimeout.so
User www-data
Group www-data
DocumentRoot $HALFOPEN_DIR/www
# As in Debian's reqtimeout.conf and apache2.conf.
RequestReadTimeout header=20-40,minrate=500
RequestReadTimeout body=10,minrate=500
Timeout 300
KeepAlive On
KeepAliveTimeout 5
$(printf '%s\n' "$@")
CONF
exec apache2 -DFOREGROUND -f "$HALFOPEN_DIR/apache.conf"
