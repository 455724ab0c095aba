"""A client that speaks TLS. `right` takes a text for whole if close_notify ends it; `fin-is-enough` does so too if
the connection ends without (Python's ssl, with what is its default)."""

import socket
import ssl
import sys
import time

how, folder, server = sys.argv[1:]
context = ssl.create_default_context(cafile=f"{folder}/cert.pem")
with socket.create_connection((server, 4433), timeout=5) as plain:
    with context.wrap_socket(plain, server_hostname="server", suppress_ragged_eofs=how == "fin-is-enough") as stream:
        stream.settimeout(5)
        stream.sendall(b"hello\n")
        greeting = stream.recv(100)
        if greeting != b"you said hello\n":
            sys.exit(f"no greeting: {greeting}")
        time.sleep(0.5)
        stream.sendall(b"all\n")
        text = b""
        while more := stream.recv(100):
            text += more
print(text.decode(), end="")
