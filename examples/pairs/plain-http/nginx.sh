#!/bin/sh
# nginx with its defaults, all files in its host's folder; an argument is further directives of http.
mkdir -p "$HALFOPEN_DIR/www"
seq 1000 >"$HALFOPEN_DIR/www/numbers"
cat >"$HALFOPEN_DIR/nginx.conf" <<CONF
daemon off;
user root;
pid $HALFOPEN_DIR/pid;
error_log stderr;
worker_processes 1;
events {}
http {
  access_log off;
  $1
  client_body_temp_path $HALFOPEN_DIR/body;
  proxy_temp_path $HALFOPEN_DIR/proxy;
  fastcgi_temp_path $HALFOPEN_DIR/fastcgi;
  uwsgi_temp_path $HALFOPEN_DIR/uwsgi;
  scgi_temp_path $HALFOPEN_DIR/scgi;
  server {
    listen 80;
    root $HALFOPEN_DIR/www;
  }
}
CONF
exec nginx -c "$HALFOPEN_DIR/nginx.conf"
