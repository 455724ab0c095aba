#!/bin/sh
# sshd with a host key and a user's key of its own, made at its first start; the client finds the key in ./id.
# Arguments: the user's public key, and further ones of sshd.
user=$1
shift
mkdir -p /run/sshd
cd "$HALFOPEN_DIR" || exit 1
[ -e host_key ] || ssh-keygen -q -t ed25519 -N '' -f host_key
exec /usr/sbin/sshd -D -e -p 22 -h "$HALFOPEN_DIR/host_key" -o PidFile=none -o StrictModes=no -o UsePAM=no \
  -o AuthorizedKeysFile="$user" "$@"
