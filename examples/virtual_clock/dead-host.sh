#!/bin/sh
# How long does a program wait for a host that is gone? To be run under the virtual clock:
#
#     halfopen clock run --tell-time -- examples/virtual_clock/dead-host.sh CASE
#
# A case is a server, a client, and when the server's host dies:
#
#     redis-connect  curl-connect  node-connect       it is dead when the client connects
#     redis-reply    curl-reply    node-reply         it dies with a request under way
#
# (Debian packages redis-server, nginx-light, curl, nodejs; iproute2 for the hosts.)
#
# Two network namespaces are the hosts, a veth pair is the cable. A host that is gone is one
# whose hardware address nobody has: packets go out, and nobody answers.
set -eu

case=${1:?redis-connect, curl-connect, node-connect, redis-reply, curl-reply or node-reply}
server=10.0.0.2

for host in client server; do
  ip netns add "$host"
  ip -n "$host" link set lo up
done
ip link add cable0 netns client type veth peer name cable1 netns server
ip -n client addr add 10.0.0.1/24 dev cable0
ip -n server addr add "$server/24" dev cable1
ip -n client link set cable0 up
ip -n server link set cable1 up

on() {
  host=$1
  shift
  ip netns exec "$host" "$@"
}
host_dies() {
  ip -n client neigh replace "$server" lladdr 02:00:00:00:00:99 dev cable0 nud permanent
  date +%s.%N >/tmp/died
}

# Until the server listens there.
until_listening() {
  while ! on server ss -Hltn "sport = :$1" | grep -q .; do sleep 0.1; done
}

start_redis() {
  on server redis-server --port 6379 --bind "$server" --protected-mode no --save '' --dir /tmp >/dev/null &
  until_listening 6379
}

# A file that takes minutes to send.
start_nginx() {
  mkdir -p /tmp/www
  head -c 50000000 /dev/zero >/tmp/www/file
  cat >/tmp/nginx.conf <<'END'
user root;
pid /tmp/nginx.pid;
error_log /dev/null;
events {}
http {
  access_log off;
  server { listen 80; root /tmp/www; limit_rate 100k; }
}
END
  on server nginx -c /tmp/nginx.conf &
  until_listening 80
}

# Runs a client to its end, and says how long after the host's death that was.
timed() {
  status=0
  "$@" || status=$?
  echo "$case: status $status after $(echo "$(date +%s.%N) $(cat /tmp/died)" | awk '{ printf "%.1f s", $1 - $2 }')"
}

node_get='
const http = require("http");
http.get("http://10.0.0.2/file", r => { r.on("data", () => {}); r.on("error", e => console.log(e.code));
  r.on("end", () => console.log("end")); }).on("error", e => console.log(e.code));'

case $case in
  redis-connect)
    host_dies
    timed on client redis-cli -h "$server" ping
    ;;
  curl-connect)
    host_dies
    timed on client curl -sS "http://$server/"
    ;;
  node-connect)
    host_dies
    timed on client node -e "$node_get"
    ;;
  redis-reply)
    start_redis
    # Two requests of one connection: the host dies between them.
    { echo ping; sleep 1; host_dies; echo ping; } | timed on client redis-cli -h "$server"
    ;;
  curl-reply)
    start_nginx
    { sleep 3; host_dies; } &
    timed on client curl -sS -o /dev/null "http://$server/file"
    ;;
  node-reply)
    start_nginx
    { sleep 3; host_dies; } &
    timed on client node -e "$node_get"
    ;;
esac
