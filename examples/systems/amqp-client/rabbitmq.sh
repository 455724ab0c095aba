#!/bin/sh
# Debian's RabbitMQ with a folder of its own. Its user guest may come from other hosts here, and port 4369 is epmd's.
export HOME="$HALFOPEN_DIR" RABBITMQ_NODENAME=rabbit@localhost RABBITMQ_MNESIA_BASE="$HALFOPEN_DIR/mnesia"
export RABBITMQ_LOG_BASE="$HALFOPEN_DIR/log" RABBITMQ_LOGS=- RABBITMQ_ENABLED_PLUGINS_FILE="$HALFOPEN_DIR/plugins"
export RABBITMQ_CONFIG_FILE="$HALFOPEN_DIR/rabbitmq" RABBITMQ_PID_FILE="$HALFOPEN_DIR/pid"
echo 'loopback_users = none' >"$RABBITMQ_CONFIG_FILE.conf"
exec /usr/lib/rabbitmq/bin/rabbitmq-server
