# Purpose: on a terminal there is a live line, colours and lines that fit; without one, on a dumb one and
# with NO_COLOR there is no escape sequence; a full pass is short.
import fcntl
import os
import pty
import re
import shlex
import struct
import termios

from lab_helpers import HALFOPEN, check, halfopen, temporary_folder

folder = temporary_folder()
command = ["lab", "exit", "crash/connecting-host", "--evidence", "e"]
ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def on_terminal(width, *arguments, **environment):
    """What it writes to a terminal of that width. TERM=None leaves it unset."""
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", **environment}
    environment = {name: value for name, value in environment.items() if value is not None}
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    child = os.fork()
    if child == 0:
        os.login_tty(slave) if hasattr(os, "login_tty") else [os.dup2(slave, fd) for fd in (0, 1, 2)]
        os.chdir(folder)
        os.execve(HALFOPEN, [HALFOPEN, *(arguments or command)], environment)
    os.close(slave)
    out = b""
    try:
        while more := os.read(master, 65536):
            out += more
    except OSError:
        pass  # the last one closed the terminal
    os.close(master)
    check(os.waitpid(child, 0)[1] == 0, f"exit code: {out.decode()}")
    return out.decode()


for width in 80, 100, 160:
    text = on_terminal(width)
    lines = re.split(r"[\r\n]+", ESCAPE.sub("", text))
    long = [line for line in lines if len(line) > width]
    check(not long, f"wider than {width}: {long}")
    check(max(map(len, lines)) > width * 3 // 4, f"the width of {width} is used")
    check(re.search(r"\r\x1b\[K\[\d/8\] ", text), "a live line")
    check("\x1b[1m" in text and "\x1b[32mpass" in text, "colours")
    check("\n[" not in text, "the live line does not scroll")

text = on_terminal(100, NO_COLOR="1")
check("\x1b" not in text, "NO_COLOR: no escape sequence")
check(re.search(r"\r *\r\[\d/8\] ", text), "NO_COLOR: the live line stays")
for kind in "dumb", "", None:
    text = on_terminal(100, TERM=kind).replace("\r\n", "\n")
    check(not set("\x1b\r") & set(text), f"TERM={kind}: no escape sequence, and nothing is written over")
    check(sum(line.startswith("[") for line in text.splitlines()) == 8, f"TERM={kind}: a line a run")

pair = ("test", "--clock", "real", "--limit", "3", "--server", shlex.quote(HALFOPEN) + " serve echo --listen 0.0.0.0",
        "--client", "echo one | " + shlex.quote(HALFOPEN) + " call echo server", "--case", "shutdown")  # fmt: skip
check(re.search(r"\r\x1b\[K\[\d+/\d+\] ", on_terminal(80, *pair)), "a live line of test")
for setting in {"TERM": "dumb"}, {"TERM": None}, {"NO_COLOR": "1"}:
    check("\x1b" not in on_terminal(80, *pair, **setting), f"test with {setting}: no escape sequence")
    check("\x1b" not in on_terminal(80, "explain", "peer_reset", **setting), f"explain with {setting}: no escape sequence")
    check("\x1b" not in on_terminal(80, "doctor", **setting), f"doctor with {setting}: no escape sequence")

# A full pass of the lab: a line a variant, a heading a situation, and what came of it all.
short = [line for line in ESCAPE.sub("", on_terminal(80)).replace("\r", "\n").splitlines() if line and line[0] != "["]
check(len(short) == 1 + 2 + 4 + 3, f"a full pass is short: {short}")
check(short[-2] == "4 of 4 agree: what was done, what the packets tell, what the library reported", short[-2])
check(short[-1] == "8 of 8 runs as expected. Evidence: " + str(folder / "e"), short[-1])

ran = halfopen(*command, cwd=folder)
check(not set("\x1b\r") & set(ran.stdout + ran.stderr), "without a terminal: no escape codes")
check(sum(line.startswith("[") for line in ran.stderr.splitlines()) == 8, "without a terminal: a line a run")
check("\n[" not in ran.stdout, "progress is not part of the result")
for width in 80, 100, 160:
    wide = os.environ | {"COLUMNS": str(width)}
    for options in (), ("--table",):
        text = halfopen(*command, *options, cwd=folder, env=wide).stdout
        check(max(map(len, text.splitlines())) <= width, f"COLUMNS={width}: {max(text.splitlines(), key=len)}")
    check(text.count("4. the server host crashes (crash)") == (1 if width < 100 else 2), f"{width}: nothing twice: {text}")
    check("packet 8" in text and "\n4 of 4 agree\n" in text, f"{width}: --table shows what the packets show")
