#!/bin/sh
# haproxy that answers by itself, with the timeouts of Debian's haproxy.cfg; arguments are further lines of defaults.
seq 1000 >"$HALFOPEN_DIR/numbers"
cat >"$HALFOPEN_DIR/haproxy.cfg" <<CONF
defaults
  mode http
  timeout connect 5000
  timeout client 50000
  timeout server 50000
$(printf '  %s\n' "$@")
frontend web
  bind *:80
  http-request return status 200 content-type text/plain file $HALFOPEN_DIR/numbers
CONF
exec haproxy -db -f "$HALFOPEN_DIR/haproxy.cfg"
