# Purpose: `halfopen watch` tells what changes: connections that come, that end in order, by a reset or because nobody
# answered any more, and what becomes wrong; a line an event, as JSON, as metrics; and it ends at Ctrl-C.
import json
import os
import signal
import socket
import subprocess
import threading
import urllib.request

from audit_hosts import HALFOPEN, connect, go_on, in_a_world, join, make_host, reset, start, vanish
from lab_helpers import check, wait_until

in_a_world()
SERVER, DOOMED = "10.0.0.2", "10.0.0.3"
for host in "client", "server":
    make_host(host)
join("client", "server", "10.0.0")


def server():
    """At port 2 it resets at the first byte, at port 1 it keeps."""
    doors = {port: socket.create_server(("", port), backlog=64) for port in (1, 2)}
    kept = []

    def loop(door, does):
        while True:
            s = door.accept()[0]
            kept.append(s)
            threading.Thread(target=does, args=(s,), daemon=True).start()

    def echo(s):
        while s.recv(100):
            pass
        s.close()

    def refuse(s):
        s.recv(1)
        reset(s)

    for port, does in (1, echo), (2, refuse):
        threading.Thread(target=loop, args=(doors[port], does), daemon=True).start()
    yield doors


def leaves():
    s = connect(SERVER, 1)
    yield s
    s.close()
    yield None


def is_reset():
    s = connect(SERVER, 2)
    yield s
    s.sendall(b"x")
    while s.recv(10):  # raises what it is told
        pass
    yield None


def waits():
    s = connect(DOOMED, 1, idle=1, interval=1, count=2)
    yield s
    try:
        s.recv(1)
    except TimeoutError:
        s.close()
    yield None


def reset_closes():
    s = connect(SERVER, 2)
    yield s
    s.sendall(b"x")
    try:
        s.recv(1)
    except ConnectionResetError:
        s.close()
    yield None


start("server", server)


class Watch:
    def __init__(self, *options):
        self.process = subprocess.Popen([HALFOPEN, "watch", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)  # fmt: skip
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")), daemon=True)
        self.reader.start()
        self.first = self.process.stderr.readline()

    def end(self):
        self.process.send_signal(signal.SIGINT)
        check(self.process.wait(20) == 0, "exit code after Ctrl-C")
        self.reader.join()
        return self.lines


watch = Watch("--json", "--metrics", ":0")
port = int(watch.first.split("port ")[1].split(":")[0])
events = lambda: [json.loads(line) for line in list(watch.lines)]  # noqa: E731


def until(what, **wanted):
    def there():
        return any(all(e.get(k) == v for k, v in wanted.items()) for e in events())

    check(wait_until(there, 60), f"{what}: not told:\n{''.join(watch.lines)}{watch.process.poll()}")


# It has looked once when its metrics have something to say.
def metrics():
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        return answer.read().decode()


check("halfopen_opened_total 0" in metrics(), "the first metrics")
pids = {w.__name__: start("client", w) for w in (leaves, reset_closes, waits)}
for name in pids:
    until("opened", event="opened", name=name, opened_by="this_host")
vanish("client", DOOMED)
for pid in pids.values():
    go_on(pid)
until("an orderly end", event="ended", name="leaves", how="completed")
until("a reset", event="ended", name="reset_closes", aborted=True, how=None)
until("a vanished peer", event="ended", name="waits", how="peer_vanished", by="timer")
gone = [e for e in events() if e.get("event") == "ended" and e["name"] == "waits"]
check(gone[0]["silence_s"] >= 3, f"for how long it was silent: {gone}")
text = metrics()
for line in ('halfopen_ended_total{how="peer_vanished",by="timer"} 1', 'halfopen_ended_total{how="aborted",by="unknown"}',
             "# TYPE halfopen_connections gauge", "halfopen_lost_notices_total 0"):  # fmt: skip
    check(line in text, f"the metrics do not say '{line}':\n{text}")
check(socket.socket().connect_ex(("10.0.0.1", port)) != 0, "the metrics are on loopback alone")

# What becomes wrong, and what came and went unseen.
dies = start("client", is_reset)
until("opened", event="opened", name="is_reset")
for _ in range(3):
    check(os.waitpid(short := start("client", leaves), os.WNOHANG) == (0, 0) and not go_on(short), "it runs")
check(not [e for e in events() if e.get("event") == "wrong" and e["name"] == "leaves"], "a false accusation")
os.kill(dies, signal.SIGKILL)
until("the end of a killed program's", event="ended", name="is_reset")
lines = watch.end()
check(all(json.loads(line)["kind"] in ("event", "passed", "lost") for line in lines), "kinds of lines")

# As text, of some processes only, for some time.
watch = Watch("no_such_program")
check(watch.process.wait(20) == 2, "a process that is not there")
watch = Watch("leaves", "--for", "2s")
check("what is not seen" in watch.first, f"it says what it misses: {watch.first}")
check(watch.process.wait(30) == 0, "--for")
