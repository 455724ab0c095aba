"""A server that speaks TLS: a line is answered by a line, and "all" by a text that ends with the connection."""

import pathlib
import socket
import socketserver
import ssl
import sys
import threading

FOLDER = pathlib.Path(sys.argv[1])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(FOLDER / "cert.pem", FOLDER / "key.pem")


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(5)
        try:
            with context.wrap_socket(self.request, server_side=True) as stream:
                for line in stream.makefile("r"):
                    if line != "all\n":
                        stream.sendall(f"you said {line}".encode())
                        continue
                    for number in range(3):  # a record each
                        stream.sendall(f"line {number} of all\n".encode())
                    stream.unwrap()  # close_notify
                    return
        except (OSError, ValueError):  # of this client only
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 100

    def get_request(self):
        connection, peer = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, peer


with Server(("0.0.0.0", 4433), Handler) as server:
    threading.current_thread().name = "accepts"
    server.serve_forever()
