#!/bin/sh
# Makes a certificate for the host "server" in this folder, once: the examples with TLS use it.
cd "$(dirname "$0")" || exit 1
[ -e cert.pem ] && exit 0
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -keyout key.pem -out cert.pem \
  -subj /CN=server -addext subjectAltName=DNS:server
