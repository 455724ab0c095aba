# Purpose: `halfopen watch` tells what changes: connections that come, that end in order, by a reset or because nobody
# answered any more, and what becomes wrong; a line an event, as JSON, as metrics; and it ends at Ctrl-C. Two of them
# look at the same: one with a program in the kernel, if that is allowed here (as root), and one without.
import ctypes
import errno
import glob
import json
import os
import platform
import re
import signal
import socket
import subprocess
import threading
import urllib.request

from audit_hosts import HALFOPEN, LIBC, connect, go_on, in_a_world, join, make_host, reset, start, vanish
from lab_helpers import check, wait_until

in_a_world(with_users=True)
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
        try:
            while got := s.recv(100):
                s.sendall(got)
        except ConnectionResetError:
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


def keeps_unread():
    s = connect(SERVER, 1)
    yield s
    s.sendall(b"x")
    s.recv(1, socket.MSG_PEEK)
    s.close()
    yield None


def is_brief():
    """It comes and goes between two looks, and so does one that nobody takes."""
    yield None
    connect(SERVER, 1).close()
    try:
        connect(SERVER, 9)
    except ConnectionRefusedError:
        yield None


start("server", server)


class Watch:
    def __init__(self, *options):
        self.process = subprocess.Popen([HALFOPEN, "watch", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)  # fmt: skip
        self.lines, self.options = [], options
        self.reader = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")), daemon=True)
        self.reader.start()
        self.first = self.process.stderr.readline()

    def end(self):
        self.process.send_signal(signal.SIGINT)
        check(self.process.wait(20) == 0, "exit code after Ctrl-C")
        self.reader.join()
        return self.lines


    def until(self, what, **wanted):
        """Waits for such an event, and gives it."""

        def there():
            return [e for e in self.events() if all(e.get(k) == v for k, v in wanted.items())]

        check(wait_until(there, 60), f"{self.options}: {what}: not told:\n{''.join(self.lines)}{self.process.poll()}")
        return there()[0]

    def events(self):
        return [json.loads(line) for line in list(self.lines)]

    def metrics(self):
        port = int(self.first.split("port ")[1].split(":")[0])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            return answer.read().decode()


watch, plain = Watch("--json", "--all", "--metrics", ":0"), Watch("--json", "--all", "--no-bpf", "--metrics", ":0")
second = watch.process.stderr.readline()
with_bpf = "tracepoints are read" in second
check(with_bpf or "without BPF (" in second, f"it says what it misses: {second}")
check("without BPF (--no-bpf) these are not seen" in plain.process.stderr.readline(), "the other says so")
both = watch, plain

# It has looked once when its metrics have something to say.
for w in both:
    check("halfopen_opened_total 0" in w.metrics(), "the first metrics")
check(("halfopen_tracepoints 1" in watch.metrics()) == with_bpf and "halfopen_tracepoints 0" in plain.metrics(), "BPF or not")
works = leaves, reset_closes, waits, keeps_unread
pids = {w.__name__: start("client", w) for w in works}
brief = start("client", is_brief)
for w in both:
    for name in pids:
        w.until("opened", event="opened", name=name, opened_by="this_host")
vanish("client", DOOMED)
for pid in [*pids.values(), brief]:
    go_on(pid)
for w in both:
    w.until("an orderly end", event="ended", name="leaves", how="completed")
    gone = w.until("a vanished peer", event="ended", name="waits", how="peer_vanished", by="timer")
    check(gone["silence_s"] >= 3, f"for how long it was silent: {gone}")
plain.until("a reset", event="ended", name="reset_closes", aborted=True, how=None, by="unknown", reset=None)
plain.until("a reset", event="ended", name="keeps_unread", aborted=True, how=None, by="unknown")
text = plain.metrics()
for line in ('halfopen_ended_total{how="peer_vanished",by="timer"} 1', 'halfopen_ended_total{how="aborted",by="unknown"}',
             "# TYPE halfopen_connections gauge", "halfopen_lost_notices_total 0"):  # fmt: skip
    check(line in text, f"the metrics do not say '{line}':\n{text}")
port = int(plain.first.split("port ")[1].split(":")[0])
check(socket.socket().connect_ex(("10.0.0.1", port)) != 0, "the metrics are on loopback alone")

if with_bpf:
    watch.until("who closed first", event="ended", name="leaves", how="completed", by="this_host")
    watch.until("a reset that came", event="ended", name="reset_closes", how="peer_reset", by="peer", reset="received")
    sent = watch.until("a reset that was sent", event="ended", name="keeps_unread", by="this_host", reset="sent")
    check(sent.get("reset_reason") in (None, "TCP_ABORT_ON_CLOSE"), f"why: {sent}")
    seen = watch.until("one between two looks", event="ended", name="is_brief", how="completed", opened_by="this_host")
    check(seen["pid"] == brief, f"its process, as it is seen here: {seen}")
    # Of a refused one the kernel forgets the place before it destroys the socket.
    watch.until("a refused one", event="ended", name="is_brief", how="refused", by="peer", opened=False)
    text = watch.metrics()
    for line in 'halfopen_ended_total{how="peer_reset",by="peer"}', "halfopen_segments_repeated_total", "resets_sent_total{":
        check(line in text, f"the metrics do not say '{line}':\n{text}")

# What becomes wrong, and what came and went unseen.
dies = start("client", is_reset)
plain.until("opened", event="opened", name="is_reset")
os.kill(dies, signal.SIGKILL)
for w in both:
    w.until("the end of a killed program's", event="ended", name="is_reset")
    check(not [e for e in w.events() if e.get("event") == "wrong" and e["name"] == "leaves"], "a false accusation")
    lines = w.events()
    check(all(e["kind"] in ("event", "passed", "lost") for e in lines), "kinds of lines")
plain.end()


def programs_of(pid):
    """The numbers of the programs that it has in the kernel."""
    found = []
    for path in glob.glob(f"/proc/{pid}/fdinfo/*"):
        try:
            with open(path) as f:
                found += re.findall(r"^prog_id:\s*(\d+)", f.read(), re.MULTILINE)
        except FileNotFoundError:
            pass
    return {int(number) for number in found}


def is_in_kernel(number):
    attributes = (ctypes.c_uint32 * 32)(number)
    by_id = 13  # BPF_PROG_GET_FD_BY_ID
    fd = LIBC.syscall({"x86_64": 321, "aarch64": 280}[platform.machine()], by_id, attributes, ctypes.sizeof(attributes))
    if fd >= 0:
        os.close(fd)
    return fd >= 0 or ctypes.get_errno() != errno.ENOENT


# Nothing is left in the kernel, whatever ends the program.
programs = programs_of(watch.process.pid)
check(bool(programs) == with_bpf, f"its programs: {programs}")
watch.process.kill()
watch.process.wait()
if platform.machine() in ("x86_64", "aarch64"):
    check(wait_until(lambda: not any(map(is_in_kernel, programs)), 60), "a program was left in the kernel")

# As text, of some processes only, for some time.
watch = Watch("no_such_program")
check(watch.process.wait(20) == 2, "a process that is not there")
watch = Watch("leaves", "--for", "1s")
check("BPF" in watch.first, f"it says what it misses: {watch.first}")
check(watch.process.wait(30) == 0, "--for")
watch = Watch("--for", "1h")
watch.end()
