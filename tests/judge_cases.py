"""Pairs on which it is easy to judge wrongly, one function each, and what is right.

Arguments: the functions' names; default: all. The programs are small and in Python, so that each has one property
and no other."""

import concurrent.futures
import os
import shutil
import sys
import threading

from lab_helpers import check, halfopen, judged, temporary_folder

AT_ONCE = 4  # most of the time is waiting
HAS_KERNEL = halfopen("clock", "status").returncode == 0

SERVER = """
import os, signal, socket, struct, sys, threading, time

def listen(reuse=True):
    listener = socket.socket()
    if reuse:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", 7000))
    listener.listen(128)
    return listener

def lines(c):
    rest = b""
    while True:
        try:
            more = c.recv(4096)
        except OSError:
            return
        rest += more
        while b"\\n" in rest:
            line, rest = rest.split(b"\\n", 1)
            yield line
        if not more:
            return

def serve_lines(c, answer):
    with c:
        for line in lines(c):
            try:
                c.sendall(answer(line) + b"\\n")
            except OSError:
                return

def answer_all(answer, listener=None):
    listener = listener or listen()
    while True:
        c, _ = listener.accept()
        c.settimeout(8)
        threading.Thread(target=serve_lines, args=(c, answer), daemon=True).start()
"""
CLIENT = """
import os, socket, struct, sys, time

def connect(limit=2):
    s = socket.create_connection(("server", 7000), limit)
    s.settimeout(limit)
    return s

def line(s):
    got = b""
    while not got.endswith(b"\\n"):
        more = s.recv(1)
        if not more:
            raise OSError("the server closed the connection")
        got += more
    return got[:-1].decode()

def ask(s, text):
    s.sendall(text + b"\\n")
    return line(s)
"""
ECHO = "answer_all(lambda line: b'an answer to ' + line)"

folder = temporary_folder()
os.chmod(folder, 0o755)
count = threading.Lock(), [0]


def program(begin, text):
    with count[0]:
        count[1][0] += 1
        path = folder / f"{count[1][0]}.py"
    path.write_text(f"{begin}\n{text}\n")
    return f"{sys.executable} {path}"


def server(text):
    return "exec " + program(SERVER, text)


def client(text):
    return program(CLIENT, text)


rows = []


def row(function):
    rows.append(function)
    return function


class verdicts:
    """What `halfopen test` says of a pair, and what of it is not as it shall be."""

    def __init__(self, server_command, client_command, *options, clock="real"):
        self.command = server_command, client_command, options
        self.cases = {c["id"]: c for c in judged(server_command, client_command, "--clock", clock, *options)}
        self.wrong = []

    def of(self, case, verdict, *words, never=()):
        c = self.cases.get(case)
        if c is None:
            self.wrong.append(f"{case}: not played")
            return self
        said = f"{c['verdict']}: {c['reason'] or c['happened']}; {c['cure']}"
        if c["verdict"] != verdict:
            self.wrong.append(f"{case}: not {verdict}: {said}")
        self.wrong += [f"{case}: does not say '{w}': {said}" for w in words if w not in said]
        self.wrong += [f"{case}: says '{w}': {said}" for w in never if w in said]
        return self

    def all_are(self, verdict):
        for case in self.cases:
            self.of(case, verdict)
        return self


# Keeps its figures in a file: a host that reboots keeps its disk.
DURABLE_SERVER = """
import fcntl
path = os.environ["HALFOPEN_DIR"] + "/figures"
def answer(line):
    words = line.decode().split()
    with open(path, "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        figures = dict(row.split() for row in file)
        if words[0] == "SET":
            file.write(f"{words[1]} {words[2]}\\n")
            return b"OK"
        return figures.get(words[1], "nothing").encode()
answer_all(answer)
"""
DURABLE_CLIENT = """
s = connect()
if ask(s, b"SET k v1") != "OK": sys.exit("not set")
print(ask(s, b"GET k"))
time.sleep(0.7)
try:
    r = ask(s, b"GET k")
except OSError:
    r = ask(connect(), b"GET k")
print(r)
"""


@row
def a_server_that_is_started_again_knows_what_it_was_told():
    run = verdicts(server(DURABLE_SERVER), client(DURABLE_CLIENT), "--case", "reboot/3", "reboot/4", "--limit", 8)
    # At reboot/4 the first server had the request already.
    run.of("reboot/3", "pass", "recovered").of("reboot/4", "warn", "asked twice").of("reboot/4@1", "pass", "reported")
    yield run
    lost = verdicts(server(DURABLE_SERVER), client(DURABLE_CLIENT), "--case", "reboot/3", "--disk", "lost", "--limit", 8)
    yield lost.of("reboot/3", "fail", "false success")
    options = "--torture", "--case", "reboot-server*", "--limit", 8
    torture = verdicts(server(DURABLE_SERVER), client(DURABLE_CLIENT), *options)
    # How many bare ACKs there are depends on who was faster: the last packets are not always there.
    torture.cases = {k: c for k, c in torture.cases.items()
                     if c["verdict"] != "not applicable" and c.get("outcome") != "asks twice"}
    check(len(torture.cases) > 10, "a reboot at every packet")
    yield torture.all_are("pass")


@row
def redis_that_is_started_again_knows_what_it_was_told():
    if shutil.which("redis-server") is None:
        return
    redis = ("exec redis-server --port 6379 --protected-mode no --save '' --appendonly yes --appendfsync always "
             "--dir $HALFOPEN_DIR")  # fmt: skip
    asks = """
def conn():
    s = socket.create_connection(("server", 6379), 5); s.settimeout(5); return s
s = conn()
s.sendall(b"SET k v1\\r\\n"); assert s.recv(100) == b"+OK\\r\\n"
s.sendall(b"GET k\\r\\n"); print(s.recv(100)); time.sleep(0.7)
try:
    s.sendall(b"GET k\\r\\n"); r = s.recv(100)
    if not r: raise OSError
except OSError:
    s = conn(); s.sendall(b"GET k\\r\\n"); r = s.recv(100)
print(r)
"""
    run = verdicts(redis, client(asks), "--case", "reboot/3", "reboot/4")
    yield run.of("reboot/3", "pass", "recovered").of("reboot/4", "warn", "asked twice")


@row
def redis_at_sigterm_is_judged_the_same_each_time():
    if shutil.which("redis-server") is None:
        return
    redis = "exec redis-server --port 6379 --protected-mode no --save '' --dir $HALFOPEN_DIR"
    runs = [verdicts(redis, "redis-cli -h server ping", "--case", "shutdown/2") for _ in range(3)]
    said = {run.cases["shutdown/2"]["verdict"] for run in runs}
    if len(said) > 1 or "inconclusive" in said:
        runs[0].wrong.append(f"shutdown/2: {said}")
    yield runs[0]


@row
def a_port_with_the_dead_process_in_time_wait():
    slow = """
def serve(listener):
    while True:
        time.sleep(0.2)
        c, _ = listener.accept()
        c.settimeout(8)
        threading.Thread(target=serve_lines, args=(c, lambda line: b"an answer to " + line), daemon=True).start()
serve(listen(reuse={reuse}))
"""
    asks = client("print(ask(connect(), b'hello'))")
    run = verdicts(server(slow.format(reuse=False)), asks, "--case", "shutdown/5")
    yield run.of("shutdown/5", "fail", "SO_REUSEADDR")
    yield verdicts(server(slow.format(reuse=True)), asks, "--case", "shutdown/5").of("shutdown/5", "pass")


@row
def one_client_after_the_other():
    serial = """
listener = listen()
while True:
    c, _ = listener.accept()
    serve_lines(c, lambda line: b"an answer to " + line)
"""
    run = verdicts(server(serial), client("print(ask(connect(60), b'hello'))"), "--case", "overload/3", "overload/4")
    yield run.of("overload/3", "fail", "the next client gets no answer").of("overload/4", "fail", "no answer")


# A message is four bytes of length, then as many of text.
FRAMED_CLIENT = """
def whole(s, size):
    got = b""
    while len(got) < size:
        more = s.recv(size - len(got))
        if not more: sys.exit("the server closed the connection")
        got += more
    return got
def ask(s, text):
    s.sendall(struct.pack(">I", len(text)) + text)
    return whole(s, struct.unpack(">I", whole(s, 4))[0]).decode()
"""
FRAMED_SERVER = """
def whole(c, size):
    got = b""
    while len(got) < size:
        more = c.recv(size - len(got))
        if not more: raise OSError
        got += more
    return got
def serve(c):
    with c:
        try:
            while True:
                text = b"an answer to " + whole(c, struct.unpack(">I", whole(c, 4))[0])
                c.sendall(struct.pack(">I", len(text)))
                time.sleep(0.05)
                c.sendall(text)
        except OSError:
            pass
listener = listen()
while True:
    c, _ = listener.accept()
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    c.settimeout(8)
    threading.Thread(target=serve, args=(c,), daemon=True).start()
"""


@row
def a_server_that_takes_one_read_for_a_request():
    one_read = """
def serve(c):
    with c:
        while got := c.recv(4096):
            if len(got) < 4 or struct.unpack(">I", got[:4])[0] != len(got) - 4: return
            c.sendall(got)
listener = listen()
while True:
    c, _ = listener.accept()
    threading.Thread(target=serve, args=(c,), daemon=True).start()
"""
    asks = client(FRAMED_CLIENT + "print(ask(connect(), b'a question'))")
    run = verdicts(server(one_read), asks, "--case", "format/1", "format/2", clock="auto")
    yield run.of("format/1", "fail", "read until").of("format/2", "fail", "read until")


@row
def a_client_that_takes_one_read_for_a_reply():
    one_read = """
def ask(s, text):
    s.sendall(struct.pack(">I", len(text)) + text)
    header = s.recv(99)
    text = s.recv(99)
    if not text: sys.exit("the server closed the connection")
    return text.decode()
print(ask(connect(5), b"a question"))
"""
    run = verdicts(server(FRAMED_SERVER), client(one_read), "--case", "format/7", "exit/6", "exit/7", "--limit", 8)
    run.of("format/7", "fail").of("exit/6", "pass", "the server closed the connection")
    yield run.of("exit/7", "fail", "false success")


@row
def a_client_that_tries_again_without_end():
    again = """
s = None
def attempt(text):
    global s
    while True:
        try:
            s = s or connect()
            return ask(s, text)
        except OSError as e:
            print("lost:", e, file=sys.stderr, flush=True)
            s = None
            time.sleep(0.1)
print(attempt(b"one"))
time.sleep(0.6)
print(attempt(b"two"))
"""
    command, asks = server(ECHO), client(again)
    wanted = "tries again without end", "still running after"
    for clock in ("real", "auto") if HAS_KERNEL else ("real",):
        run = verdicts(command, asks, "--case", "connect/1", "exit/6", "exit/7", "--limit", 5, clock=clock)
        watched = ("still trying after", "(watched)", "attempts") if clock == "auto" else ()
        for case in "connect/1", "exit/6", "exit/6@1", "exit/7", "exit/7@1":
            run.of(case, "fail", *wanted, *watched, "bound its attempts", never=("KEEPALIVE", "hangs"))
        yield run


@row
def a_limit_counts_from_the_last_byte_that_was_delivered():
    long = server("answer_all(lambda line: b'x' * 724)")
    run = verdicts(long, client("print(ask(connect(30), b'much'))"), "--case", "format/7", "--limit", 5)
    yield run.of("format/7", "pass", never=("KEEPALIVE",))


@row
def the_fault_falls_on_a_request_that_the_client_waits_for():
    leaves = """
s = connect(None)
print(ask(s, b"hello"))
time.sleep(0.4)
print(ask(s, b"what is the answer"))
s.sendall(b"goodbye\\n")  # and does not wait for what is said to that
"""
    command, asks = server(ECHO), client(leaves)
    run = verdicts(command, asks, "--case", "crash/7", "exit/6", "--limit", 4)
    run.of("crash/7", "fail", "hangs", "KEEPALIVE").of("crash/7@1", "fail", "hangs")
    yield run.of("exit/6", "pass", "the server closed the connection").of("exit/6@1", "pass")
    last = verdicts(command, asks, "--case", "crash/7", "--request", 3, "--limit", 4)
    yield last.of("crash/7@3", "pass", "unaffected")


@row
def what_is_said_differs_from_run_to_run():
    """Nobody knows what would have been right, so nobody is accused of another answer."""
    quotes = """
import random
def serve(listener):
    while True:
        c, _ = listener.accept()
        c.settimeout(5)
        threading.Thread(target=say, args=(c,), daemon=True).start()
def say(c):
    with c:
        try:
            while c.recv(99):
                said = random.choice(["be brief", "know thyself, " * 9, "x" * 300, "less is more"]).encode()
                c.sendall(len(said).to_bytes(4, "big") + said)
        except OSError:
            pass
serve(listen())
"""
    asks = """
s = connect()
s.sendall(b"x\\n")
def read(n):
    got = b""
    while len(got) < n:
        more = s.recv(n - len(got))
        if not more: sys.exit("cut short")
        got += more
    return got
print(read(int.from_bytes(read(4), "big")).decode())
"""
    run = verdicts(server(quotes), client(asks), "--case", "abort/1", "exit/1", "exit/6", "connect/6", "format/8", "--limit", 8)
    accused = [f"{name}: {c['happened']}" for name, c in run.cases.items() if c["verdict"] in ("fail", "warn")]
    run.wrong += accused
    yield run


@row
def a_pipe_hides_an_exit_status():
    asks = client("print(ask(connect(), b'hello'))") + " 2>&1 >/dev/null | wc -l"
    run = verdicts(server(ECHO), asks, "--case", "connect/1")
    yield run.of("connect/1", "fail", "false success", "pipe", "exit status")


@row
def what_two_fresh_servers_say_is_compared_to_the_letter():
    counts = server("n = [0]\ndef answer(line):\n    if line == b'more': n[0] += 1\n    return str(n[0]).encode()\nanswer_all(answer)")
    asks = client("""
s = connect()
print(ask(s, b"more"))
time.sleep(0.7)
try:
    print(ask(s, b"how many"))
except OSError:
    print(ask(connect(), b"how many"))
""")  # fmt: skip
    run = verdicts(counts, asks, "--case", "reboot/3", "--limit", 8)
    yield run.of("reboot/3", "fail", "false success")
    ran = halfopen("test", "--server", counts, "--client", asks, "--case", "exit/1")
    if "differs between two clean runs" in ran.stdout:
        run.wrong.append(f"each fresh server counts from 1: {ran.stdout}")
    varies = client("print(ask(connect(), b'hello'), time.time_ns())")
    ran = halfopen("test", "--server", server(ECHO), "--client", varies, "--case", "exit/1")
    if "differs between two clean runs" not in ran.stdout:
        run.wrong.append(f"a clock never says the same: {ran.stdout}")


ONE_REPLY_SERVER = """
def reply_once(c):
    with c:
        for line in lines(c):
            return c.sendall(b"x" * 4000)
listener = listen()
while True:
    threading.Thread(target=reply_once, args=(listener.accept()[0],), daemon=True).start()
"""
READS_TO_THE_END = """
def page():
    size = 0
    with connect(limit=1) as s:
        try:
            s.sendall(b"give\\n")
            while more := s.recv(4096): size += len(more)
        except TimeoutError:
            pass
    return size
print(page())
time.sleep(0.5)
print(page())
"""


@row
def an_end_that_the_client_never_heard_of_is_none():
    # The server's FIN follows its reply at once, and is lost with the rest of it before the host reboots.
    run = verdicts(server(ONE_REPLY_SERVER), client(READS_TO_THE_END), "--case", "reboot/4", "reboot/5", "--limit", 8)
    yield run.of("reboot/4", "fail", "false success").of("reboot/5", "fail", "false success")


# It asks who says nothing for 1.5 s, and gives him up after 3 s, as sshd does with ClientAliveInterval.
IMPATIENT_SERVER = """
def serve(c):
    c.settimeout(1.5)
    unanswered, rest = 0, b""
    while unanswered < 2:
        try:
            more = c.recv(4096)
        except TimeoutError:
            c.sendall(b"still there?\\n")
            unanswered += 1
            continue
        if not more:
            break
        unanswered = 0
        rest += more
        while b"\\n" in rest:
            line, rest = rest.split(b"\\n", 1)
            c.sendall(b"an answer to " + 40 * line + b"\\n")
    c.close()

listener = listen()
while True:
    c, _ = listener.accept()
    threading.Thread(target=serve, args=(c,), daemon=True).start()
"""
PAUSING_CLIENT = """
s = connect(10)
for text in b"one", b"two":
    got = ask(s, text)
    while got == "still there?":
        got = line(s)
    print(got)
    time.sleep(1)
"""


@row
def who_was_given_up_before_the_fault_is_no_victim_of_it():
    # Six clients come to their second request one after the other, a second each.
    options = "--case", "sigpipe/2", "--peer", "program", "--limit", 8
    run = verdicts(server(IMPATIENT_SERVER), client(PAUSING_CLIENT), *options)
    yield run.of("sigpipe/2", "inconclusive", "the five other clients are connected still")


@row
def the_line_that_says_what_happened_is_quoted():
    asks = client("print('-' * 70, file=sys.stderr)\nprint(ask(connect(), b'hello'))")
    run = verdicts(server(ECHO), asks, "--case", "exit/6", "connect/1")
    run.of("exit/6", "pass", "and says: OSError: the server closed the connection", never=("Traceback",))
    yield run.of("connect/1", "pass", "ConnectionRefusedError", never=("Traceback", "----"))


def problems(function):
    return [f"{line}\n    {run.command}" for run in function() or () for line in run.wrong]


chosen = [f for f in rows if not sys.argv[1:] or f.__name__ in sys.argv[1:]]
check(chosen, "there is no such function")
bad = 0
with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
    for function, wrong in zip(chosen, pool.map(problems, chosen)):
        bad += len(wrong)
        print(f"{function.__name__}: {'' if wrong else 'as it shall be'}", *wrong, sep="\n  ", flush=True)
check(bad == 0, f"{bad} deviations")
