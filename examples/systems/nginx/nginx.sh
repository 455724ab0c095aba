#!/bin/sh
# A reverse proxy of two backends. PROXY_SETTINGS: directives for its location, beside nginx's defaults.
cd "$HALFOPEN_DIR" || exit
cat >nginx.conf <<...
daemon off; user root; pid nginx.pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  upstream backends { server a:8080; server b:8080; }
  server {
    listen 80;
    location / { proxy_pass http://backends; $PROXY_SETTINGS }
    location = /static { return 200 "static\n"; }
  }
}
...
exec nginx -p "$HALFOPEN_DIR" -c nginx.conf -e stderr
