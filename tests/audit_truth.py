# Purpose: what `halfopen audit` says of a connection is what happens when the peer's host really vanishes.
# Forty programs with different options, idle, with data in flight, connecting, are audited in a guest of the
# virtual clock; then the host vanishes, and the guest's clock says when each is told. Never sooner than the
# audit's least, never later than its most: that is the kernel's own inexactness (docs/virtual-clock.md).
#
# The guest runs this same script, with its part as the argument.
import ctypes
import errno
import json
import os
import select
import socket
import subprocess
import sys
import time

SERVER, CLIENT, DEAD = "10.0.0.2", "10.0.0.1", "10.0.0.99"
TCP_USER_TIMEOUT = 18
# SO_KEEPALIVE's figures (or none), TCP_USER_TIMEOUT in ms, what it does,
# and for how many seconds it has been silent (or has been connecting) when the host vanishes.
PROGRAMS = [
    (None, 0, "write", 0),
    (None, 0, "write", 7),
    (None, 2000, "write", 0),
    (None, 9800, "write", 3),
    (None, 30000, "write", 0),
    (None, 100000, "write", 0),
    (None, 700, "write", 0),
    (None, 3600000, "write", 0),
    ((5, 5, 3), 0, "write", 0),
    ((5, 1, 3), 20000, "write", 0),
    ((1, 1, 1), 1800, "write", 2),
    ((4, 2, 3), 9800, "write", 0),
    ((15, 15, 3), 59800, "write", 0),
    ((7200, 75, 9), 0, "idle", 0),
    ((7200, 75, 9), 0, "idle", 30),
    ((7200, 75, 9), 60000, "idle", 0),
    ((60, 10, 6), 0, "idle", 0),
    ((60, 10, 6), 0, "idle", 45),
    ((60, 10, 6), 65000, "idle", 0),
    ((60, 10, 6), 200000, "idle", 0),
    ((30, 10, 3), 0, "idle", 0),
    ((30, 10, 3), 1000, "idle", 20),
    ((15, 15, 3), 59800, "idle", 0),
    ((15, 15, 3), 59800, "idle", 14),
    ((4, 2, 3), 9800, "idle", 0),
    ((4, 2, 3), 9800, "idle", 3),
    ((1, 1, 1), 1800, "idle", 0),
    ((1, 1, 2), 2800, "idle", 0),
    ((1, 1, 127), 0, "idle", 0),
    ((300, 1, 1), 0, "idle", 100),
    ((32767, 32767, 2), 0, "idle", 0),
    ((600, 60, 5), 3600000, "idle", 10),
    (None, 0, "connect", 0),
    (None, 0, "connect", 4),
    (None, 10000, "connect", 0),
    (None, 90000, "connect", 2),
    ((1, 1, 1), 0, "connect", 0),
    (None, 300, "connect", 0),
    ("syncnt", 1, "connect", 0),
    ("syncnt", 3, "connect", 3),
]


def set_options(s, keepalive, user_timeout):
    if keepalive == "syncnt":
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, user_timeout)
        return
    if keepalive:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in zip((socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT), keepalive):
            s.setsockopt(socket.IPPROTO_TCP, name, value)
    s.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout)


def program(number, report, go, speaks_at):
    """One of the forty. It speaks last (or begins to connect) at that time, and says when it was told, and what."""
    keepalive, user_timeout, does, _ = PROGRAMS[number]
    s = socket.socket()
    set_options(s, keepalive, user_timeout)
    if does == "connect":
        s.setblocking(False)
    else:
        s.connect((SERVER, 80))
    time.sleep(max(0, speaks_at - time.monotonic()))
    begun = time.monotonic()
    if does == "connect":
        s.connect_ex((DEAD, 80))
    else:
        s.sendall(b"hello")
    os.write(report, b"%d ready\n" % number)
    os.read(go, 1)
    if does == "write":
        begun = time.monotonic()
        s.sendall(b"anybody there?")
    p = select.poll()
    p.register(s, select.POLLIN | (select.POLLOUT if does == "connect" else 0))
    p.poll()
    ended = time.monotonic()
    error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    os.write(report, b"%d ended %.6f %.6f %d\n" % (number, begun, ended, error))


def run(*command):
    subprocess.run(list(map(str, command)), check=True)


def vanish(address):
    """Packets go out, and nobody answers: the hardware address is nobody's."""
    run("ip", "-n", "client", "neigh", "replace", address, "lladdr", "02:00:00:00:00:99", "dev", "cable0",
        "nud", "permanent")  # fmt: skip


def make_hosts():
    for host in "client", "server":
        run("ip", "netns", "add", host)
        run("ip", "-n", host, "link", "set", "lo", "up")
    run("ip", "link", "add", "cable0", "netns", "client", "type", "veth", "peer", "name", "cable1", "netns", "server")
    for host, address, cable in ("client", "10.0.0.1", "cable0"), ("server", SERVER, "cable1"):
        run("ip", "-n", host, "addr", "add", address + "/24", "dev", cable)
        run("ip", "-n", host, "link", "set", cable, "up")
    vanish(DEAD)


def enter(host):
    fd = os.open(f"/run/netns/{host}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(fd, 0) != 0:
        sys.exit("setns")
    os.close(fd)


def serve():
    if os.fork() == 0:
        enter("server")
        door = socket.create_server((SERVER, 80), backlog=64)
        taken = []
        while True:
            taken.append(door.accept()[0])


class Crowd:
    """The programs, each a process of its own."""

    def __init__(self, vanishes_at):
        self.reports, into = os.pipe()
        self.go, self.pids, self.text = {}, {}, b""
        for number, (_, _, _, silence) in enumerate(PROGRAMS):
            waits, self.go[number] = os.pipe()
            self.pids[number] = os.fork()
            if self.pids[number] == 0:
                enter("client")
                program(number, into, waits, vanishes_at - silence - 0.3)
                time.sleep(1e9)  # its descriptor stays

    def wait_for(self, word):
        """What each of them says with that word."""
        said = {}
        while len(said) < len(PROGRAMS):
            self.text += os.read(self.reports, 65536)
            *whole, self.text = self.text.split(b"\n")
            for line in whole:
                number, what, *rest = line.decode().split()
                if what == word:
                    said[int(number)] = [float(r) for r in rest]
        return said


def audit(halfopen):
    """When, and what it says of each process."""
    when = time.monotonic()
    ran = subprocess.run([halfopen, "audit", "--netns", "client", "--json"], capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(ran.stderr)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    return when, {line["process"]["pid"]: line for line in lines if line["kind"] == "connection" and line["process"]}


def guest(halfopen):
    make_hosts()
    serve()
    time.sleep(1)
    crowd = Crowd(time.monotonic() + 120)
    crowd.wait_for("ready")
    audits = [audit(halfopen)]
    vanish(SERVER)
    for number in range(len(PROGRAMS)):
        os.write(crowd.go[number], b"!")
    for pause in 5, 60:  # what is left, while it is under way
        time.sleep(pause)
        audits.append(audit(halfopen))
    ends = crowd.wait_for("ended")
    found = [{"audits": [(when, by_pid.get(crowd.pids[n])) for when, by_pid in audits], "ended": ends[n]}
             for n in range(len(PROGRAMS))]  # fmt: skip
    print(json.dumps(found), flush=True)
    for pid in crowd.pids.values():
        os.kill(pid, 9)


def lies_between(notice, measured, what):
    """The guest's clock moves a little while the audit looks."""
    least, most = notice["at_least_s"], notice["at_most_s"]
    if least is None:
        return f"{what}: {notice['by']}, and was told after {measured:.3f} s"
    if measured < least - 0.005:
        return f"{what}: {notice['by']}, not before {least} s, and was told after {measured:.3f} s"
    if measured > most + 0.05:
        return f"{what}: {notice['by']}, {most} s at most, and was told after {measured:.3f} s"
    return None


def compare(number, one):
    keepalive, user_timeout, does, silence = PROGRAMS[number]
    name = f"{keepalive}, {user_timeout}, {does} after {silence} s"
    begun, ended, error = one["ended"]
    wrong = [] if error == errno.ETIMEDOUT else [f"{name}: errno {error}, not ETIMEDOUT"]
    for count, (audited, seen) in enumerate(one["audits"]):
        if ended <= audited + 1:
            continue
        if not seen:
            wrong.append(f"{name}: not seen by the audit")
            continue
        noticed = seen["noticed"]
        if count == 0:
            phase = {"write": "in_flight", "idle": "idle", "connect": "connecting"}[does]
            wrong.append(lies_between(noticed[phase], ended - begun, name))
            print(f"{name}: {noticed[phase]['by']}, {noticed[phase]['at_least_s']} to {noticed[phase]['at_most_s']} s; "
                  f"measured {ended - begun:.3f} s")  # fmt: skip
        if count > 0 or does != "write":  # what it waits for was under way when the audit looked
            wrong.append(lies_between(noticed["now"], ended - audited, f"{name}, left at the audit {count}"))
    return [w for w in wrong if w]


def main():
    from lab_helpers import HALFOPEN, check, halfopen, need_kernel

    need_kernel()
    ran = halfopen("clock", "run", "--", sys.executable, __file__, HALFOPEN, timeout=600)
    check(ran.returncode == 0, f"the guest: {ran.returncode}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}")
    said = json.loads(ran.stdout.splitlines()[-1])
    wrong = [w for n, one in enumerate(said) for w in compare(n, one)]
    check(len(said) == len(PROGRAMS) == 40, "not forty")
    check(not wrong, "\n".join(wrong))


if len(sys.argv) > 1:
    guest(sys.argv[1])
else:
    main()
