"""Whatever keeps two commands from working together is told in words, at once, and with what they said themselves.

Argument: the clock. Each pair below has something wrong with it that no fault of ours is needed for; halfopen test
says which, quotes the programs, ends with exit code 2 and leaves nothing behind."""

import concurrent.futures
import os
import shutil
import sys
import time

from lab_helpers import check, halfopen, marked, need_kernel, temporary_folder, wait_until

CLOCK = sys.argv[1]
if CLOCK == "virtual":
    need_kernel()
AT_ONCE = 8 if CLOCK == "real" else 2  # most of the time is waiting

# Prints what it is told to, and answers a line with "ok".
SERVER = """
import os, signal, socket, sys, time

def serve(address="", port=7000, family=socket.AF_INET, answer=b"ok\\n"):
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(9)
    print("the server's own words", flush=True)
    while True:
        c, _ = listener.accept()
        if c.recv(99):
            c.sendall(answer)
        c.close()

def not_ready():  # until a second after the first client came
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", 7000))
    listener.listen(9)
    print("the server's own words", flush=True)
    first = None
    while True:
        c, _ = listener.accept()
        first = first or time.monotonic()
        if time.monotonic() < first + 1:
            if HOW == "resets":
                c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0")
            else:
                c.recv(99)
                c.sendall(b"loading\\n")
        elif c.recv(99):
            c.sendall(b"ok\\n")
        c.close()
"""
CLIENT = """
import os, signal, socket, sys, time

def ask(host="server", port=7000, limit=5, wanted=b"ok\\n"):
    print("the client's own words", flush=True)
    s = socket.create_connection((host, port), limit)
    s.settimeout(limit)
    s.sendall(b"x\\n")
    reply = s.recv(99)
    if reply != wanted:
        sys.exit(f"the client wants {wanted} and got {reply}")
    print(reply)
    return s
"""
GOOD = "serve()"
ASKS = "ask()"
QUOTES_SERVER = "the server's own words"
QUOTES_CLIENT = "the client's own words"

folder = temporary_folder()
os.chmod(folder, 0o755)


def program(name, text):
    path = folder / f"{name}.py"
    path.write_text(text)
    return f"exec {sys.executable} {path}"


class pair:
    """`server` and `client`: the last lines of each program, or, with a '$' before, its command."""

    def __init__(self, *words, server=GOOD, client=ASKS, options=(), code=2, clocks=("real",)):
        self.server, self.client, self.words, self.options, self.code = server, client, words, options, code
        self.clocks = clocks

    def commands(self, name):
        for whose, text, begin in (("server", self.server, SERVER), ("client", self.client, CLIENT)):
            yield text.removeprefix("$") if text.startswith("$") else program(f"{name}-{whose}", f"{begin}\n{text}\n")


BOTH = ("real", "virtual")
(folder / "not-executable").write_text("echo hello\n")
background = program("background", f"{SERVER}\n{GOOD}\n").removeprefix("exec ")
PAIRS = {
    "wrong port": pair("the client goes to port 7001 of the server, where nobody listens",
                       "the server listens on port 7000", QUOTES_SERVER, QUOTES_CLIENT,
                       client="ask(port=7001)", clocks=BOTH),
    "127.0.0.1 only": pair("listens on port 7000 of its own loopback address alone", "0.0.0.0", QUOTES_SERVER,
                           server="serve('127.0.0.1')", clocks=BOTH),
    "::1 only": pair("listens on port 7000 of its own loopback address alone", QUOTES_SERVER,
                     server="serve('::1', family=socket.AF_INET6)"),
    "--server-port wrong": pair("the server listens on port 7000, not on port 7002, which --server-port names",
                                QUOTES_SERVER, options=("--server-port", 7002)),
    "background": pair("the server goes to the background", "'&'", server=f"${background} &"),
    "no command, server": pair("the server's command was not found (exit 127)", "no-such-program: not found",
                               server="$no-such-program", clocks=BOTH),
    "no command, client": pair("the client's command was not found (exit 127)", "no-such-program: not found",
                               QUOTES_SERVER, client="$no-such-program"),
    "not executable, server": pair("the server's command cannot be executed (exit 126)", "chmod +x",
                                   server=f"${folder}/not-executable"),
    "not executable, client": pair("the client's command cannot be executed (exit 126)", "chmod +x",
                                   client=f"${folder}/not-executable"),
    "server ends at once": pair("the server ended with exit 4 before it listened", "cannot open the database",
                                server="print('cannot open the database', file=sys.stderr); sys.exit(4)"),
    "server killed": pair("the server was killed by SIGABRT before it listened", "about to die",
                          server="print('about to die', flush=True); os.abort()"),
    "UDP only": pair("the server has UDP port 7000 open, and no TCP port", "only TCP is judged", "by datagrams",
                     server="u = socket.socket(type=socket.SOCK_DGRAM); u.bind(('', 7000)); "
                            "print('by datagrams', flush=True); u.recv(9)"),
    "listens on nothing": pair("the server does not listen on any TCP port after", "still loading",
                               server="print('still loading', flush=True); time.sleep(3600)"),
    "--ready never comes": pair("the server never printed what --ready waits for: in business", QUOTES_SERVER,
                                options=("--ready", "in business")),
    "client never connects": pair("never opened a TCP connection to the server", "named 'server'",
                                  "nothing to be done", client="print('nothing to be done')"),
    "client goes to nobody": pair("the client goes to port 7000 of an address at which there is no host",
                                  "named 'server'", "Traceback", client="ask('10.0.0.77', limit=1)", clocks=BOTH),
    "client waits for nobody": pair("the client goes to port 7000 of an address at which there is no host",
                                    QUOTES_CLIENT, client="ask('10.0.0.77', limit=None)",
                                    options=("--clean-limit", 2)),
    "both wait": pair("both programs wait for each other without a limit", QUOTES_SERVER, QUOTES_CLIENT,
                      server="kept = []\nsocket.socket.close = lambda s: kept.append(s)\n" + GOOD,
                      client="ask(limit=None).recv(9)"),
    "client never ends": pair("the client has not ended after ", "--clean-limit", QUOTES_CLIENT,
                              client="ask()\nwhile True: time.sleep(0.1)", options=("--clean-limit", 2), clocks=BOTH),
    "client fails": pair("the client failed with exit 3, with nothing wrong", "b'ok\\n'", QUOTES_SERVER,
                         client="ask()\nprint('a wrong answer', file=sys.stderr)\nsys.exit(3)", clocks=BOTH),
    "client killed": pair("the client was killed by SIGABRT, with nothing wrong", QUOTES_SERVER, QUOTES_CLIENT,
                          client="ask()\nos.abort()"),
    "client killed in a shell": pair("the client was killed by SIGSEGV, with nothing wrong",
                                     client="$sh -c 'kill -SEGV $$'; exit $?"),
    "not ready: it resets": pair("failed right after the server had begun to listen, and did well a moment later",
                                 "--ready REGEX", QUOTES_SERVER, server="HOW = 'resets'\nnot_ready()", clocks=BOTH),
    "not ready: it errs": pair("failed right after the server had begun to listen, and did well a moment later",
                               "got b'loading\\n'", server="HOW = 'errs'\nnot_ready()"),
    # What follows is played, with a remark.
    "an error for an answer": pair("the client's usual output looks like an error (\"NOAUTH", "1 pass",
                                   server="serve(answer=b'NOAUTH Authentication required.\\n')",
                                   client="s = socket.create_connection(('server', 7000)); s.sendall(b'x\\n'); "
                                          "print(s.recv(99).decode())", options=("--case", "connect/1"), code=0),
    "nothing wrong": pair("1 pass", options=("--case", "connect/1"), code=0, clocks=BOTH),
}  # fmt: skip
if nginx := shutil.which("nginx") or shutil.which("/usr/sbin/nginx"):
    (folder / "nginx.conf").write_text(
        "user root; pid nginx.pid; error_log stderr; events {}\n"
        "http { access_log off; server { listen 8080; location / { return 200 hello; } } }\n")  # fmt: skip
    PAIRS["nginx"] = pair("the server goes to the background", "'daemon off;' (nginx)",
                          server=f"${nginx} -p $HALFOPEN_DIR -c {folder}/nginx.conf",
                          client="ask(port=8080)")  # fmt: skip


def problems(name):
    """What is not as it shall be, and all that was printed."""
    p = PAIRS[name]
    server, client = p.commands(name.replace(" ", "-").replace(":", ""))
    mark = f"HALFOPEN_TEST_MARK={os.getpid()}.{time.time_ns()}"
    work = folder / f"work of {name}"
    work.mkdir()
    environment = os.environ | dict([mark.split("=")]) | {"TMPDIR": str(work)}
    ran = halfopen("test", "--server", server, "--client", client, "--clock", CLOCK, *p.options, cwd=work,
                   env=environment)  # fmt: skip
    said = ran.stdout + ran.stderr
    wrong = [f"it does not say: {words}" for words in p.words if words not in said]
    if ran.returncode != p.code:
        wrong.append(f"exit code {ran.returncode}, not {p.code}")
    if "signal 11" in said or "signal 6" in said:
        wrong.append("a process of its own died")
    if not wait_until(lambda: not marked(mark), 20):
        wrong.append(f"processes are left: {marked(mark)}")
    if os.listdir(work):
        wrong.append(f"files are left: {os.listdir(work)}")
    return wrong, said


chosen = [name for name in PAIRS if CLOCK in PAIRS[name].clocks and (not sys.argv[2:] or name in sys.argv[2:])]
with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
    found = dict(zip(chosen, pool.map(problems, chosen)))
bad = 0
for name, (wrong, said) in found.items():
    bad += bool(wrong)
    if wrong:
        print(f"{name}:", *wrong, said, sep="\n  ", flush=True)
check(bad == 0, f"{bad} of {len(found)} pairs")
print(f"{len(found)} pairs are told what is wrong")
