"""A server that answers each line with a line, a thread a connection, on either IP version."""

import socket
import socketserver


class Lines(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            for line in self.rfile:
                self.wfile.write(self.server.answer(line.decode().strip()).encode() + b"\n")
        except OSError:
            pass  # who asked is gone


class OneByOne(socketserver.TCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port, answer):
        self.answer = answer
        super().__init__(("::", port), Lines)

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def handle_error(self, request, address):
        raise  # a bug of ours ends the program


class AtOnce(socketserver.ThreadingMixIn, OneByOne):
    daemon_threads = True
