#!/bin/sh
# mosquitto with TLS; an argument is a further line of its configuration.
cat >"$HALFOPEN_DIR/mosquitto.conf" <<CONF
listener 8883
allow_anonymous true
cafile $PWD/../cert.pem
certfile $PWD/../cert.pem
keyfile $PWD/../key.pem
user root
$1
CONF
exec mosquitto -c "$HALFOPEN_DIR/mosquitto.conf"
