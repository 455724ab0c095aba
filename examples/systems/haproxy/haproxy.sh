#!/bin/sh
# A reverse proxy of two backends. SERVER_SETTINGS: words for each server, beside haproxy's defaults. The timeouts
# are those of Debian's haproxy.cfg.
cat >"$HALFOPEN_DIR/haproxy.cfg" <<...
defaults
  mode http
  timeout connect ${CONNECT_TIMEOUT:-5000}
  timeout client 50000
  timeout server ${SERVER_TIMEOUT:-50000}
  $DEFAULT_SETTINGS
frontend proxy
  bind *:80
  http-request return status 200 content-type text/plain string static if { path /static }
  default_backend backends
backend backends
  balance roundrobin
  server a a:8080 $SERVER_SETTINGS
  server b b:8080 $SERVER_SETTINGS
...
exec haproxy -db -f "$HALFOPEN_DIR/haproxy.cfg"
