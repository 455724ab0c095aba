# A dependency: answers "pong" to each line.
import socketserver


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        for _ in self.rfile:
            self.wfile.write(b"pong\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


Server(("0.0.0.0", 7000), Connection).serve_forever()
