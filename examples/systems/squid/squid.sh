#!/bin/sh
# A reverse proxy of one backend. PROXY_SETTINGS: directives beside squid's defaults; PEER_SETTINGS: options of cache_peer.
cd "$HALFOPEN_DIR" || exit
cat >squid.conf <<...
http_port 80 accel defaultsite=proxy
cache_peer backend parent 8080 0 no-query originserver name=backend $PEER_SETTINGS
http_access allow all
cache deny all
cache_effective_user nobody
access_log none
cache_log stdio:/dev/stderr
pid_filename none
coredump_dir none
$PROXY_SETTINGS
...
exec squid -N -f squid.conf
