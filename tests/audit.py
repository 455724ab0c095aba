# Purpose: each thing that `halfopen audit` calls wrong is made on purpose, beside programs of which nothing is
# wrong, and is found at the program that has it: that and nothing else.
import concurrent.futures
import json
import socket
import threading
import time

from audit_hosts import (audit, audit_lines, connect, go_on, in_a_world, join, make_host, reset, start, vanish,
                         wrongs_by_name)  # fmt: skip
from lab_helpers import check, halfopen, temporary_folder

in_a_world()
SERVER, DOOMED, NOWHERE = "10.0.0.2", "10.0.0.3", "10.0.0.99"
for host in "client", "server":
    make_host(host)
join("client", "server", "10.0.0")
vanish("client", NOWHERE)


# ---- servers -------------------------------------------------------------------
def serve(name, port, does):
    def work():
        door = socket.create_server(("", port), backlog=64)

        def loop():
            taken = []
            while True:
                s = door.accept()[0]
                does(s, len(taken))
                taken.append(s)

        threading.Thread(target=loop, daemon=True).start()
        yield door

    return start("server", work, name=name)


def slow_reply(s, _):
    def speak():
        while True:
            s.send(b"x")
            time.sleep(0.2)

    threading.Thread(target=speak, daemon=True).start()


serve("s_keeps", 1, lambda s, n: None)
serve("s_resets", 2, lambda s, n: reset(s))
serve("s_closes", 3, lambda s, n: s.close())
serve("s_pool", 5, lambda s, n: reset(s) if n < 2 else None)
serve("s_replies", 6, slow_reply)


def s_no_accept():
    yield socket.create_server(("", 7), backlog=16)


def s_full():
    yield socket.create_server(("", 8), backlog=1)


def s_overflowed():
    door = socket.create_server(("", 9), backlog=1)
    yield door
    taken = []
    while True:  # now it accepts
        taken.append(door.accept()[0])


for work in s_no_accept, s_full:
    start("server", work)
overflowed = start("server", s_overflowed)


# ---- clients of which something is wrong ---------------------------------------
def gone():
    yield connect(SERVER, 2)


def retransmits():
    s = connect(DOOMED, 1)
    yield s
    s.sendall(b"anybody there?")
    yield s


def probes():
    yield connect(DOOMED, 1, idle=1, interval=1, count=100)


def connects():
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex((NOWHERE, 80))
    yield s


def stalls():
    s = connect(SERVER, 1)
    s.setblocking(False)
    try:
        while True:
            s.send(b"x" * 65536)
    except BlockingIOError:
        pass
    time.sleep(0.5)
    try:
        while True:
            s.send(b"x" * 65536)
    except BlockingIOError:
        pass
    yield s


def forgets():
    yield connect(SERVER, 3)


def orphans():
    """Its two connections are closed here, and not at the other end."""
    left, dead = connect(SERVER, 1), connect(DOOMED, 1)
    left.close()
    yield None
    dead.sendall(b"last words")
    dead.close()
    yield None


def pools():
    yield [connect(SERVER, 5) for _ in range(5)]


def visits():
    """Connects to listeners that accept nobody; some get no answer at all."""
    all_of_them = [connect(SERVER, 7)]
    for port in 8, 9:
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex((SERVER, port))
            all_of_them.append(s)
    yield all_of_them


# ---- and those of which nothing is ---------------------------------------------
def healthy_pool():
    yield [connect(SERVER, 1) for _ in range(40)]


def healthy_probes():
    yield connect(SERVER, 1, idle=1, interval=1, count=3)


def healthy_half():
    """Has shut its writing side down, and gets its reply."""
    s = connect(SERVER, 6)
    s.shutdown(socket.SHUT_WR)
    threading.Thread(target=lambda: [None for _ in iter(lambda: s.recv(100), b"")], daemon=True).start()
    yield s


def healthy_home():
    door = socket.create_server(("127.0.0.1", 70))
    s = connect("127.0.0.1", 70)
    yield door, s, door.accept()


clients = {w.__name__: start("client", w) for w in (gone, retransmits, probes, connects, stalls, forgets, orphans, pools,
                                                     visits, healthy_pool, healthy_probes, healthy_half, healthy_home)}  # fmt: skip
vanish("client", DOOMED)
for name in "retransmits", "orphans":
    go_on(clients[name])
go_on(overflowed)

EXPECTED = {
    "": {"orphan"},
    "gone": {"gone_not_closed"},
    "retransmits": {"retransmitting"},
    "probes": {"probes_unanswered"},
    "connects": {"connect_unanswered"},
    "stalls": {"zero_window"},
    "forgets": {"close_wait"},
    "pools": {"gone_not_closed", "pool_partly_dead"},
    "visits": {"connect_unanswered"},
    "s_no_accept": {"not_accepting"},
    "s_full": {"not_accepting", "accept_queue_full"},
    "s_overflowed": {"accept_queue_overflowed"},
    "s_keeps": {"close_wait"},  # the other end of what `orphans` has closed
}


def orphans_of(lines):
    return [line for line in lines if line["kind"] == "connection" and not line["process"]]


def all_there(lines):
    found = wrongs_by_name(lines)
    return found.keys() >= EXPECTED.keys() and all(found[name] == EXPECTED[name] for name in EXPECTED) and len(
        orphans_of(lines)) == 3  # fmt: skip


# It takes some seconds until all of it has lasted long; nobody is accused meanwhile of anything else.
end = time.monotonic() + 45
while True:
    lines = audit_lines("--long", "3s")
    found = wrongs_by_name(lines)
    for name in found:
        more = found[name] - EXPECTED.get(name, set())
        check(not more, f"{name or 'orphans'}: falsely accused of {more}")
    if all_there(lines):
        break
    check(time.monotonic() < end, f"not found: { {n: EXPECTED[n] - found.get(n, set()) for n in EXPECTED} }, orphans: {orphans_of(lines)}")
check({"healthy_pool", "healthy_probes", "healthy_half", "healthy_home"} <= found.keys(), f"not all seen: {found.keys()}")

# How many of each.
def count(name, what):
    return sum(any(w["what"] == what for w in line["wrong"]) for line in lines
               if line.get("process") and line["process"]["name"] == name)  # fmt: skip


check(count("pools", "gone_not_closed") == 2, "two of the pool are gone")
# The three orphans are two of `orphans`, and the other end of `forgets`.
check(count("s_keeps", "close_wait") == 1, "one that is not closed")
opened = {(line["process"]["name"], line["opened_by"]) for line in lines if line.get("process") and "opened_by" in line
          and line["state"] == "established"}  # fmt: skip
check(("healthy_pool", "this_host") in opened and ("s_keeps", "peer") in opened, f"who opened: {opened}")
check(("healthy_pool", "peer") not in opened and ("s_keeps", "this_host") not in opened, f"who opened: {opened}")

# Where something is gone a look takes a second, so all of these look at once.
folder = temporary_folder()
looks = concurrent.futures.ThreadPoolExecutor(16)
defaults = looks.submit(audit_lines)
table = looks.submit(audit, "--long", "3s", "--top", 0)
worst = looks.submit(audit, "--top", 1)
at_port = looks.submit(audit_lines, "--port", 6)
by_name = looks.submit(audit_lines, "healthy_half", clients["gone"])
by_network = looks.submit(audit_lines, "--netns", "client")
others = [looks.submit(audit, *options, code=code) for options, code in (
    (("healthy_pool", "--within", "30s"), 1), (("healthy_home", "--within", "30s"), 0), (("no_such_program",), 2),
    (("--within", "soon"), 2), (("--port", "65536"), 2), (("--pcap", "soon"), 2))]  # fmt: skip
capture = looks.submit(audit, "probes", "healthy_probes", "--pcap", "3s", "--write", folder / "suspects.pcapng")

# What counts as long at the defaults has not lasted for so long.
found = wrongs_by_name(defaults.result())
check(not found["forgets"] and not found["s_keeps"], f"CLOSE_WAIT of some seconds: {found}")
check(found["retransmits"] == {"retransmitting"}, f"{found}")

# The table: groups, filters, words, exit codes.
for words in ("40 to 10.0.0.2:1", "never", "SO_KEEPALIVE", "same host", "in client", "in server", "sent again",
              "connections wait to be accepted", "its program closed it", "what to change"):  # fmt: skip
    check(words in table.result(), f"the table does not say '{words}':\n{table.result()}")
check("the worst 1 of " in worst.result(), "--top")
names = {line["process"]["name"] for line in at_port.result() if line["kind"] == "connection"}
check(names == {"healthy_half", "s_replies"}, f"--port: {names}")
names = {line["process"]["name"] for line in by_name.result() if line["kind"] == "connection"}
check(names == {"healthy_half", "gone"}, f"NAME and PID: {names}")
names = {line["process"]["name"] for line in by_network.result() if line.get("process")}
check(names == clients.keys() - {"orphans"}, f"--netns: {names}")
for other in others:
    other.result()

# The packets of just the suspects, for autopsy, with the names of their processes.
capture.result()
ran = halfopen("autopsy", folder / "suspects.pcapng", "--json")
stories = [json.loads(line) for line in ran.stdout.splitlines()]
ends = {(s["opener"]["address"], s["responder"]["address"]) for s in stories}
check(len(stories) == 1 and ends <= {("10.0.0.1", DOOMED), (DOOMED, "10.0.0.1")}, f"captured: {ran.stdout}{ran.stderr}")
check(f"probes {clients['probes']}".encode() in (folder / "suspects.pcapng").read_bytes(), "the process's name")
