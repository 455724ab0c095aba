"""A service that needs a store: right in everything, or with one defect, the class whose name is given.

service.py STORE [DEFECT]    listens at port 3000, where `visits` is counted in the store, `health` asks
                             whether the store is there, and `static` needs no store
service.py --list            the defects, a line each
"""

import errno
import os
import select
import socket
import sys
import threading
import time

from lines import AtOnce, OneByOne
from store import PORT


class Right:
    """nothing is wrong with it"""

    limit = 1.5  # s: so long a connection is tried for, and a reply is waited for
    pause = 0.5  # s: so long nobody tries again after a failure
    server = AtOnce

    def __init__(self, store):
        self.store = store
        self.lock = threading.Lock()
        self.idle = []
        self.away_until = 0

    def connect(self):
        return socket.create_connection((self.store, PORT), self.limit)

    def is_usable(self, connection):
        """The store has neither ended it nor said what nobody asked for."""
        said, _, _ = select.select([connection], [], [], 0)
        return not said

    def take(self):
        while True:
            with self.lock:
                connection = self.idle.pop() if self.idle else None
            if not connection:
                return self.connect()
            if self.is_usable(connection):
                return connection
            self.drop(connection)

    def drop(self, connection):
        connection.close()

    def receive(self, connection, so_far):
        return connection.recv(4096)

    def call(self, connection, line):
        connection.sendall(line.encode() + b"\n")
        reply = b""
        while not reply.endswith(b"\n"):
            more = self.receive(connection, reply)
            if not more:
                raise ConnectionError("the store ended the connection")
            reply += more
        return reply.decode().strip()

    def call_once(self, line):
        connection = self.take()
        try:
            reply = self.call(connection, line)
        except OSError:
            self.drop(connection)
            raise
        with self.lock:
            self.idle.append(connection)
        return reply

    def ask_store(self, line):
        if time.monotonic() < self.away_until:
            raise ConnectionError("the store is away")
        try:
            reply = self.call_once(line)
        except OSError as why:
            self.failed(why)
            raise
        self.succeeded()
        return reply

    def failed(self, why):
        with self.lock:
            idle, self.idle = self.idle, []
        for connection in idle:
            self.drop(connection)
        self.away_until = time.monotonic() + self.pause

    def succeeded(self):
        pass

    def health(self):
        return self.ask_store("ping")

    def visits(self):
        return self.ask_store("count visits")

    def answer(self, line):
        if line == "static":
            return "static"
        try:
            return self.health() if line == "health" else self.visits()
        except OSError as why:
            return f"sorry: {why}"

    def serve(self):
        self.server(3000, self.answer).serve_forever()


class WaitsWithoutLimit(Right):
    """waits for the store without a limit"""

    limit = None


class KeepaliveAtDefaults(WaitsWithoutLimit):
    """relies on SO_KEEPALIVE, which begins after two hours"""

    def connect(self):
        connection = super().connect()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection


class RefusesLate(Right):
    """waits longer than who asks will"""

    limit = 4


class HandsOutTheDead(Right):
    """its pool never checks a connection"""

    def is_usable(self, connection):
        return True


class MixesUpReplies(Right):
    """keeps a connection whatever happened on it, and takes a reply that comes late for that to the next request"""

    def is_usable(self, connection):
        said, _, _ = select.select([connection], [], [], 0)
        try:
            return not said or connection.recv(1, socket.MSG_PEEK) != b""
        except OSError:
            return False

    def call_once(self, line):
        connection = self.take()
        try:
            return self.call(connection, line)
        finally:
            with self.lock:
                self.idle.append(connection)

    def failed(self, why):
        pass


class ConnectsWithoutPause(Right):
    """connects again and again without a pause"""

    connecting = False

    def failed(self, why):
        super().failed(why)
        if not self.connecting:
            self.connecting = True
            threading.Thread(target=self.connect_at_last, daemon=True).start()

    def connect_at_last(self):
        while self.connecting:
            try:
                self.idle.append(self.connect())
                self.connecting = False
            except OSError:
                pass


class NeverReconnects(Right):
    """does not connect again once a connection has failed"""

    gives_up_after = 1
    failures = 0

    def failed(self, why):
        super().failed(why)
        self.failures += 1

    def succeeded(self):
        self.failures = 0

    def ask_store(self, line):
        if self.failures >= self.gives_up_after:
            raise ConnectionError("the store is gone")
        return super().ask_store(line)


class GivesUp(NeverReconnects):
    """gives the store up for good after five failures"""

    gives_up_after = 5


class PausesWithoutCap(Right):
    """pauses eight times as long after each failure, without an end"""

    def failed(self, why):
        super().failed(why)
        self.pause *= 8

    def succeeded(self):
        self.pause = Right.pause


class LosesItsSlots(Right):
    """has five slots for calls, and never gets one back from a call that failed"""

    def __init__(self, store):
        super().__init__(store)
        self.slots = threading.Semaphore(5)

    def ask_store(self, line):
        if not self.slots.acquire(timeout=self.limit):
            raise ConnectionError("all slots are taken")
        reply = super().ask_store(line)
        self.slots.release()
        return reply


class AlwaysHealthy(Right):
    """says that it is healthy whatever happens"""

    def health(self):
        return "pong"


class HealthHangs(Right):
    """its health endpoint waits without a limit, which is no yes"""

    def health(self):
        with socket.create_connection((self.store, PORT)) as connection:
            return self.call(connection, "ping")


class OneLock(Right):
    """does one thing at a time, whatever it needs"""

    def __init__(self, store):
        super().__init__(store)
        self.only = threading.Lock()

    def answer(self, line):
        with self.only:
            return super().answer(line)


class OneThread(Right):
    """serves one who asks after the other"""

    server = OneByOne


class SendsAgain(Right):
    """sends what failed once more, though it may have been done"""

    def call_once(self, line):
        try:
            return super().call_once(line)
        except OSError:
            return super().call_once(line)


class TriesTenTimes(Right):
    """tries ten times while who asks waits"""

    def ask_store(self, line):
        for _ in range(9):
            try:
                return self.call_once(line)
            except OSError:
                time.sleep(1)
        return self.call_once(line)


class AnswersADefault(Right):
    """answers a default value instead of an error"""

    def visits(self):
        try:
            return super().visits()
        except OSError:
            return "visits unknown"


class TakesHalfAReply(Right):
    """takes what has come until its limit for the whole reply"""

    def receive(self, connection, so_far):
        try:
            return super().receive(connection, so_far)
        except TimeoutError:
            if not so_far:
                raise
            return b"\n"


class LeaksSockets(Right):
    """never closes a connection that has ended"""

    ended = []

    def drop(self, connection):
        self.ended.append(connection)


class LeaksThreads(Right):
    """leaves a thread behind for each connection that has ended"""

    def drop(self, connection):
        super().drop(connection)
        threading.Thread(target=threading.Event().wait, daemon=True).start()


class ResolvesOnce(Right):
    """asks for the store's address once, at its start"""

    def __init__(self, store):
        super().__init__(socket.getaddrinfo(store, PORT)[0][4][0])


class NeedsTheStoreAtStart(Right):
    """ends if the store is not there when it starts"""

    def serve(self):
        self.connect().close()
        super().serve()


class DiesOfReset(Right):
    """ends when a connection is reset"""

    deadly = errno.ECONNRESET

    def failed(self, why):
        if why.errno == self.deadly:
            os._exit(1)
        super().failed(why)


class DiesOfRefusal(DiesOfReset):
    """ends when a connection is refused"""

    deadly = errno.ECONNREFUSED


class DiesOfUnreachable(DiesOfReset):
    """ends when a router says that the store cannot be reached"""

    deadly = errno.EHOSTUNREACH


class BurnsTheProcessor(Right):
    """waits for the store in a loop that never pauses"""

    waits = False

    def failed(self, why):
        super().failed(why)
        if not self.waits:
            self.waits = True
            threading.Thread(target=self.wait, daemon=True).start()

    def wait(self):
        while self.waits:
            pass

    def succeeded(self):
        self.waits = False


def defects(of=Right):
    """{"WaitsWithoutLimit": class, ...}"""
    found = {}
    for one in of.__subclasses__():
        found |= {one.__name__: one} | defects(one)
    return found


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        for name, one in defects().items():
            print(f"{name}\t{one.__doc__}")
    else:
        store, chosen = sys.argv[1], (sys.argv[2:] or ["Right"])[0]
        (defects() | {"Right": Right})[chosen](store).serve()
