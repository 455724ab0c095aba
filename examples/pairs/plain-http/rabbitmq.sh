#!/bin/sh
# Debian's RabbitMQ with a folder of its own. Its user guest may come from other hosts here, and port 4369 is epmd's.
exec ../../systems/amqplib/rabbitmq.sh
