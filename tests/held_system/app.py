# A service that keeps one connection to its dependency, waits half a second for its answers, and opens another
# connection once that one has failed.
import socket
import socketserver
import threading

turn, connection = threading.Lock(), None


def ask_db():
    global connection
    with turn:
        try:
            if connection is None:
                connection = socket.create_connection(("db", 7000), timeout=0.5)
            connection.sendall(b"ping\n")
            answer = b""
            while not answer.endswith(b"\n"):
                more = connection.recv(100)
                if not more:
                    raise ConnectionError("the database closed in the middle")
                answer += more
            return answer
        except OSError as e:
            if connection:
                connection.close()
            connection = None
            return f"error: {e}\n".encode()


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        for _ in self.rfile:
            self.wfile.write(ask_db())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


Server(("0.0.0.0", 3000), Connection).serve_forever()
