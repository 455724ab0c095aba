"""A client as it should be, in Python: it asks twice, with a pause between; each exchange has a deadline.

It exits with an error unless it has had both replies whole."""

import socket
import sys
import time

from message import HEADER, LONGEST, PORT, arguments, bound_silence, encoded

CONNECT_WITHIN = 3  # seconds, an address
ANSWER_WITHIN = 10
PAUSE = 0.5


def connect():
    """One of the name's addresses, in their order: who does not answer in time is passed over."""
    failure = OSError("the server's name has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo("server", PORT, type=socket.SOCK_STREAM):
        s = socket.socket(family, kind, protocol)
        try:
            s.settimeout(CONNECT_WITHIN)
            s.connect(address)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            bound_silence(s, ANSWER_WITHIN)
            return s
        except OSError as e:
            s.close()
            failure = e
    raise failure


class exchange:
    def __init__(self, s):
        self.socket, self.ends = s, time.monotonic() + ANSWER_WITHIN

    def bounded(self):
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server does not answer in time")
        self.socket.settimeout(left)
        return self.socket

    def whole(self, size):
        got = b""
        while len(got) < size:
            more = self.bounded().recv(size - len(got))
            if not more:
                raise OSError(f"the server closed the connection after {len(got)} of {size} bytes")
            got += more
        return got

    def ask(self, text):
        self.bounded().sendall(encoded(text))
        (length,) = HEADER.unpack(self.whole(HEADER.size))
        if length > LONGEST:
            raise OSError("the server's reply is no message")
        return self.whole(length).decode()


arguments(__doc__)
try:
    s = connect()
    print(exchange(s).ask(b"the first of two"), flush=True)
    time.sleep(PAUSE)
    print(exchange(s).ask(b"the second of two"), flush=True)
except OSError as e:
    sys.exit(f"no whole reply: {e}")
