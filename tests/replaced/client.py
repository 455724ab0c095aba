"""Asks once, pauses, and asks again on the same connection. Arguments: host, and "once" to ask once only."""

import socket
import sys
import time

with socket.create_connection((sys.argv[1], 7007), 5) as connection:
    connection.settimeout(5)
    replies = connection.makefile("r")
    for text in ("one",) if sys.argv[2:] == ["once"] else ("one", "two"):
        if text == "two":
            time.sleep(0.4)
        connection.sendall(f"{text}\n".encode())
        reply = replies.readline()
        if not reply.endswith("\n"):
            sys.exit(f"{text}: the server has closed the connection")
        print(reply, end="")
