"""A server of lines that can be replaced while it runs: another one listens on the same port (SO_REUSEPORT). Argument:

right         after SIGTERM it listens no more, and keeps its connections for two seconds, answering what comes
closes-idle   after SIGTERM it closes the connections on which nothing has begun, whatever is on its way
says-so       the same, but tells the client first
mute          after SIGTERM it keeps its connections, and answers nothing
alone         as right, but it does not share its port
"""

import selectors
import signal
import socket
import sys
import time

HOW = sys.argv[1]
KEPT_FOR = 2

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if HOW != "alone":
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
listener.bind(("", 7007))
listener.listen()
waker, wakes = socket.socketpair()
wakes.setblocking(False)
signal.set_wakeup_fd(wakes.fileno())
signal.signal(signal.SIGTERM, lambda *_: None)
watched = selectors.DefaultSelector()
watched.register(listener, selectors.EVENT_READ)
watched.register(waker, selectors.EVENT_READ)
pieces: dict[socket.socket, bytes] = {}
ends = None


def close(connection):
    watched.unregister(connection)
    del pieces[connection]
    connection.close()


def serve(connection):
    try:
        got = connection.recv(1000)
        *lines, pieces[connection] = (pieces[connection] + got).split(b"\n")
        for line in lines:
            if ends is None or HOW != "mute":
                connection.sendall(b"you said " + line + b"\n")
    except OSError:
        got = b""
    if not got or (ends is not None and HOW != "mute" and not pieces[connection]):
        close(connection)


def stop():
    watched.unregister(listener)
    listener.close()
    for connection in list(pieces):
        if HOW == "says-so":
            connection.sendall(b"going away\n")
        if HOW in ("closes-idle", "says-so") and not pieces[connection]:
            close(connection)


while ends is None or (pieces and time.monotonic() < ends):
    for key, _ in watched.select(None if ends is None else max(0, ends - time.monotonic())):
        if key.fileobj is listener:
            accepted = listener.accept()[0]
            pieces[accepted] = b""
            watched.register(accepted, selectors.EVENT_READ)
        elif key.fileobj is waker:
            waker.recv(100)
            ends = time.monotonic() + KEPT_FOR
            stop()
        elif key.fileobj in pieces:
            serve(key.fileobj)
