#!/bin/sh
# lighttpd with its defaults; arguments are further lines of its configuration.
mkdir -p "$HALFOPEN_DIR/www"
seq 1000 >"$HALFOPEN_DIR/www/numbers"
cat >"$HALFOPEN_DIR/lighttpd.conf" <<CONF
server.document-root = "$HALFOPEN_DIR/www"
server.port = 80
$(printf '%s\n' "$@")
CONF
exec lighttpd -D -f "$HALFOPEN_DIR/lighttpd.conf"
