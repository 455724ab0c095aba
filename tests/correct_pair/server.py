"""A server as it should be, in Python: one thread, every socket nonblocking.

Its replies are bounded in memory: who does not read them is not read from. SIGTERM closes the listener and what is
idle; a request that has begun is answered, within a bound."""

import errno
import selectors
import signal
import socket
import time

from message import HEADER, LONGEST, PORT, arguments, bound_silence, encoded

NOTICE_WITHIN = 10  # seconds, a dead client
DRAIN_WITHIN = 6
PAUSE_WITHOUT_DESCRIPTORS = 0.1


class connection:
    def __init__(self, s):
        self.socket, self.received, self.to_send, self.at_end = s, bytearray(), bytearray(), False

    def fileno(self):
        return self.socket.fileno()

    def idle(self):
        return not self.received and not self.to_send

    def take_message(self):
        """The next whole message's answer is to be sent; ValueError if what came is no message."""
        if len(self.received) < HEADER.size:
            return
        (length,) = HEADER.unpack_from(self.received)
        if length > LONGEST:
            raise ValueError("too long")
        if len(self.received) >= HEADER.size + length:
            self.to_send += encoded(b"an answer to: " + self.received[HEADER.size : HEADER.size + length])
            del self.received[: HEADER.size + length]

    def step(self):
        """What can be done without waiting; whether the connection lives on."""
        try:
            if not self.to_send:
                more = self.socket.recv(16384)
                self.at_end |= not more
                self.received += more
        except BlockingIOError:
            pass
        while True:
            if not self.to_send:
                self.take_message()
            if not self.to_send:
                return not self.at_end
            try:
                del self.to_send[: self.socket.send(self.to_send)]
            except BlockingIOError:
                return True


class server:
    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.connections = set()
        self.no_accept_before = None
        self.drained_at = None
        woken, waker = socket.socketpair()
        woken.setblocking(False)
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno())
        signal.signal(signal.SIGTERM, lambda *_: None)
        self.selector.register(woken, selectors.EVENT_READ)
        self.woken, self.waker = woken, waker
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("", PORT))
        self.listener.setblocking(False)
        self.listener.listen(128)
        self.selector.register(self.listener, selectors.EVENT_READ)

    def accept_all(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except BlockingIOError:
                return
            except OSError as e:
                if e.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    self.selector.unregister(self.listener)  # it stays readable
                    self.no_accept_before = time.monotonic() + PAUSE_WITHOUT_DESCRIPTORS
                return  # any other error is of that connection, and it is gone
            s.setblocking(False)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            bound_silence(s, NOTICE_WITHIN)
            made = connection(s)
            self.connections.add(made)
            self.selector.register(made, selectors.EVENT_READ)

    def drop(self, c):
        self.selector.unregister(c)
        self.connections.discard(c)
        c.socket.close()

    def serve(self, c):
        try:
            lives = c.step()
        except (OSError, ValueError):
            lives = False
        if not lives:
            return self.drop(c)
        self.selector.modify(c, selectors.EVENT_WRITE if c.to_send else selectors.EVENT_READ)

    def begin_drain(self):
        self.drained_at = time.monotonic() + DRAIN_WITHIN
        if self.no_accept_before is None:
            self.selector.unregister(self.listener)
        self.no_accept_before = None
        self.listener.close()

    def wait(self):
        ends = [t for t in (self.no_accept_before, self.drained_at) if t is not None]
        events = self.selector.select(max(0, min(ends) - time.monotonic()) if ends else None)
        if self.no_accept_before is not None and time.monotonic() >= self.no_accept_before:
            self.no_accept_before = None
            self.selector.register(self.listener, selectors.EVENT_READ)
        told_to_stop = False
        for key, _ in events:
            if isinstance(key.fileobj, connection):
                self.serve(key.fileobj)
            elif key.fileobj is self.woken:
                told_to_stop = signal.SIGTERM in self.woken.recv(100)
            else:
                self.accept_all()
        if told_to_stop and self.drained_at is None:
            self.begin_drain()

    def run(self):
        while True:
            self.wait()
            if self.drained_at is None:
                continue
            for c in [c for c in self.connections if c.idle()]:
                self.drop(c)
            if not self.connections or time.monotonic() >= self.drained_at:
                return


arguments(__doc__)
server().run()
