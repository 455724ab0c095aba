# Purpose: a system is up, and held by its reins: what is done to it happens, what is seen of it is true, what is
# nonsense is refused with a reason, and nothing of it stays, after kill -9 either.
import atexit
import base64
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys

from lab_helpers import HALFOPEN, adopt_orphans, check, family, marked, packets, temporary_folder, wait_until

SYSTEM = pathlib.Path(__file__).parent / "held_system"
adopt_orphans()
folder = temporary_folder()
for name in ("runtime", "project", "tmp"):
    (folder / name).mkdir()
shutil.copy(SYSTEM / "halfopen.toml", folder / "project")
mark = f"HALFOPEN_TEST_MARK={os.getpid()}"
environment = os.environ | dict([mark.split("=")]) | {
    "XDG_RUNTIME_DIR": str(folder / "runtime"), "TMPDIR": str(folder / "tmp"), "PYTHON": sys.executable,
    "SYSTEM": str(SYSTEM), "PYTHONUNBUFFERED": "1"}  # fmt: skip
environment.pop("HALFOPEN_SOCKET", None)
here = {"cwd": folder / "project", "env": environment, "text": True}


def begin(*arguments, **options):
    """halfopen up, and a function that gives what it has printed so far."""
    log = (folder / "log").open("w+")
    started = subprocess.Popen([HALFOPEN, "up", *map(str, arguments)], stdout=log, stderr=subprocess.STDOUT,
                               **{"stdin": subprocess.DEVNULL} | here | options)  # fmt: skip
    atexit.register(started.kill)  # a check that fails leaves nothing behind

    def printed():
        return (folder / "log").read_text()

    there = wait_until(lambda: "up: halfopen do" in printed() or started.poll() is not None, 100)
    check(there and started.poll() is None, f"it is up:\n{printed()}")
    return started, printed


def halfopen(*arguments, code=0, **options):
    ran = subprocess.run([HALFOPEN, *map(str, arguments)], capture_output=True, timeout=100,
                         **{"stdin": subprocess.DEVNULL} | here | options)  # fmt: skip
    check(ran.returncode == code, f"halfopen {' '.join(map(str, arguments))}: {ran.returncode} instead of {code}: {ran}")
    return ran.stdout + ran.stderr


def do(*words, code=0):
    return halfopen("do", *" ".join(words).split(), code=code)


def ask():
    return json.loads(subprocess.run([HALFOPEN, "ask", "--json"], capture_output=True, timeout=100, **here).stdout)["how"]


def state():
    return json.loads(halfopen("state", "--json"))


def host(name):
    return next(h for h in state()["hosts"] if h["name"] == name)


def connection():
    """The one between the service and its dependency that the service has now."""
    found = [c for c in state()["connections"] if (c["from"], c["to"]) == ("app", "db") and (c["ends"][0] or {}).get("owned")]
    check(len(found) == 1, f"one connection: {found}")
    return found[0]


def served_again():
    return wait_until(lambda: ask() == "served", 60)


# Nobody is up, and that is said.
check("no system is up here: halfopen up" in halfopen("ask", code=2), "nobody to ask")
check("no system is up here" in halfopen("exec", "app", "--", "true", code=125), "nobody to run a command")
check("halfopen.toml" in halfopen("up", cwd=folder, code=2), "a folder without a settings file")
check("there is no host 'shop'" in halfopen("up", "--publish", "1:shop:2", code=2), "a port of nobody's")

up, printed = begin("--publish", "0:app:3000")
places = list((folder / "runtime").iterdir())
check(len(places) == 1 and stat.S_IMODE(places[0].stat().st_mode) == 0o700, f"a socket of one's own: {places}")
check("a system is up here already" in halfopen("up", code=2), "a second one of the same file")
check("--socket " + str(places[0]) in halfopen("ask", cwd=folder, code=2), "from elsewhere it is named")
check("served" in halfopen("ask"), "it is served")

# Nonsense is refused, and what there is is listed.
check("there are: db, app, user" in do("crash dbb", code=2), "an unknown host")
check("there are: app-db;" in do("cut app-dbb", code=2), "an unknown link")
check("unreachable HOST-HOST" in do("explode db", code=2), "an unknown action")
check("runs already" in do("start db", code=1), "what runs is not started")
check("no command for 'health'" in halfopen("ask", "health", code=2), "who is not there is not asked")

# Its dependency's host is gone, and comes back.
check(connection()["in_the_way"] == "nothing", "nothing is in the way")
do("crash db")
gone = connection()
check(gone["half_open"] and gone["in_the_way"] == "host_down" and gone["ends"][1] is None, f"half-open: {gone}")
check(gone["ends"][0]["would_hang"]["idle_ms"] is None, f"without keepalive it would hang for ever: {gone}")
check(gone["ends"][0]["would_hang"]["in_flight_ms"] > 60_000, f"with data in flight long: {gone}")
check("half-open" in halfopen("state") or "the other host is down" in halfopen("state"), "the table says so")
check(ask() == "refused" and not host("db")["up"], "refused while it is away")
check("is down: halfopen do reboot db" in do("kill db", code=1), "what is down cannot be killed")
do("reboot db")
check(served_again() and host("db")["up"], "served again")

# A link is cut, at a byte too.
do("cut app-db after 2 bytes from db")
check(state()["links"][0]["cut_after_bytes"] == 2 and ask() == "refused", "cut in the middle of an answer")
check(state()["links"][0]["cut"], "it is cut")
do("heal app-db")
check(served_again(), "served again")
do("cut app-db")
check(connection()["in_the_way"] == "link_cut" and ask() == "refused", "cut")
do("heal app-db")
check(served_again(), "served once it is healed")
do("delay app-db 30ms")
check(state()["links"][0]["delay_ms"] == 30 and ask() == "served", "delayed")
do("heal app-db")

# Programs.
do("freeze db")
check(host("db")["frozen"] and ask() == "refused", "frozen")
do("thaw db")
check(served_again(), "it goes on")
check("1 connection reset" in do("reset app-db"), "its connection is reset")
check(served_again(), "served again")
do("kill db")
killed = host("db")["program"]
check(not killed["running"] and killed["signal"] == 9, f"killed: {killed}")
do("start db")
check(served_again(), "started again")
do("stop db")
check(host("db")["program"]["signal"] == 15, "stopped")
do("start db")
check(served_again(), "started again")
do("move db")
check(served_again() and host("db")["name_moved_to"] == "db-spare", "its name moved")
do("crash db-spare")
do("move db back")
check(served_again(), "its name is home again")

# Commands on a host.
check("db" in halfopen("exec", "app", "--", "getent", "hosts", "db"), "it knows names")
check(halfopen("exec", "app", "--", "sh", "-c", "echo said; exit 7", code=7) == "said\n", "its output and its exit code")
halfopen("exec", "app", "--", "sh", "-c", "kill -9 $$", code=137)
check("cannot start" in halfopen("exec", "app", "--", "no-such-command", code=125), "none")
check("there are: db, app" in halfopen("exec", "shop", "--", "true", code=125), "on no host")
check("no command is named" in halfopen("exec", "app", "--", code=125), "nothing")
check(halfopen("exec", "app", "echo", "-n", "--", "-x") == "-- -x", "what follows the host is the command's")
raw = bytes(range(256)) * 1000
cat = subprocess.run([HALFOPEN, "exec", "-i", "db", "--", "base64", "-d"], input=base64.b64encode(raw),
                     capture_output=True, **here | {"text": False})  # fmt: skip
check(cat.stdout == raw, "any bytes come through")

# From the network outside.
outside = state()["published"][0]["outside"].split(":")
with socket.create_connection((outside[0], int(outside[1])), timeout=60) as line:
    line.sendall(b"ask\nask\n")
    line.shutdown(socket.SHUT_WR)
    check(line.makefile().read() == "pong\npong\n", "asked from outside, and the end comes through")
do("stop app")
try:  # which may come before the connection is told of here
    with socket.create_connection((outside[0], int(outside[1])), timeout=60) as line:
        check(line.recv(1) == b"never", "a refusal inside is a reset outside")
except ConnectionResetError:
    pass
do("start app")

# The protocol: several requests a line, in any order; nonsense hurts nobody.
with socket.socket(socket.AF_UNIX) as line:
    line.connect(str(places[0]))
    line.sendall(b'{"version":1,"id":1,"verb":"exec","host":"db","argv":["sleep","0.3"]}\n'
                 b'{"version":1,"id":2,"verb":"state"}\n{"version":9}\n\xff\x00\n[]\n')  # fmt: skip
    line.shutdown(socket.SHUT_WR)
    answers = [json.loads(answer) for answer in line.makefile()]
check([a.get("id") for a in answers] == [2, None, None, None, 1], f"answers: {answers}")
check([a["ok"] for a in answers] == [True, False, False, False, True], f"answers: {answers}")
with socket.socket(socket.AF_UNIX) as line:
    line.connect(str(places[0]))
    try:
        line.sendall(b"x" * (2 << 20))
    except BrokenPipeError:
        pass
    check("longer than 1 MiB" in line.makefile().readline(), "a line without an end")
with socket.socket(socket.AF_UNIX) as line:  # whoever goes takes his command with him
    line.connect(str(places[0]))
    line.sendall(b'{"version":1,"verb":"exec","host":"db","argv":["sleep","1234"]}\n')
    check(wait_until(lambda: "exec db -- sleep 1234" in printed(), 60), "a command that lasts")
check(wait_until(lambda: "1234" not in halfopen("exec", "db", "--", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"), 60),
      "whoever goes takes his command with him")  # fmt: skip

# It ends, and its packets stay.
capture = re.search(r"its packets: (\S+)", halfopen("down"))[1]
check(up.poll() == 0 or up.wait(60) == 0, "it ended well")
check(not list((folder / "runtime").iterdir()), "its socket is gone")
check(wait_until(lambda: not marked(mark), 20), f"processes left: {marked(mark)}")
check(os.listdir(folder / "tmp") == [pathlib.Path(capture).name], f"files left: {os.listdir(folder / 'tmp')}")
if shutil.which("tshark"):
    notes = "\n".join(note for note, in packets(capture, "frame.comment"))
    for wanted in ("db host crashes", "cut by the cable to the first 2 of its", "the name db now gives"):
        check(wanted in notes, f"the capture says: {wanted}")

# Whatever ends it: nothing stays.
for end in ("kill -9", "Ctrl-C", "end of input", "SIGTERM"):
    (folder / "tmp" / pathlib.Path(capture).name).unlink(missing_ok=True)
    pipe = subprocess.PIPE if end == "end of input" else subprocess.DEVNULL
    up, printed = begin("--no-capture", *(["--until-eof"] if end == "end of input" else []), stdin=pipe)
    check(len(marked(mark)) > 5, "processes are found by their mark")
    if end == "end of input":
        up.stdin.close()
    else:
        up.send_signal({"kill -9": signal.SIGKILL, "Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM}[end])
    code = up.wait(60)
    check(code == (-9 if end == "kill -9" else 0), f"{end}: exit code {code}\n{printed()}")
    check(wait_until(lambda: not marked(mark) and not family().keys() - {str(os.getpid())}, 60), f"{end}: {family()}")
    check(not list((folder / "runtime").iterdir()), f"{end}: its socket is gone")
    check(not os.listdir(folder / "tmp"), f"{end}: files {os.listdir(folder / 'tmp')}")
