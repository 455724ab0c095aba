# Purpose: on a terminal there is a live line, colours and a table that fits; without
# one there is plain text; NO_COLOR is respected.
import fcntl
import os
import pty
import re
import struct
import termios

from lab_helpers import HALFOPEN, check, halfopen, temporary_folder

folder = temporary_folder()
command = ["lab", "exit", "crash/connecting-host", "--evidence", "e"]
ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def on_terminal(width, **environment):
    """What it writes to a terminal of that width."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    child = os.fork()
    if child == 0:
        os.login_tty(slave) if hasattr(os, "login_tty") else [os.dup2(slave, fd) for fd in (0, 1, 2)]
        os.chdir(folder)
        os.execve(HALFOPEN, [HALFOPEN, *command], {"PATH": os.environ["PATH"], "TERM": "xterm", **environment})
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
check(not re.search(r"\x1b\[[0-9;]*m", text), "NO_COLOR: no colours")
check("\r\x1b[K[" in text, "NO_COLOR: the live line stays")

ran = halfopen(*command, cwd=folder)
check(not set("\x1b\r") & set(ran.stdout + ran.stderr), "without a terminal: no escape codes")
check(sum(line.startswith("[") for line in ran.stderr.splitlines()) == 8, "without a terminal: a line a run")
check("\n[" not in ran.stdout, "progress is not part of the result")
for width in 80, 100, 160:
    text = halfopen(*command, cwd=folder, env=os.environ | {"COLUMNS": str(width)}).stdout
    table = [line for line in text.splitlines() if not line.startswith("[")]
    check(max(map(len, table)) <= width, f"COLUMNS={width}: {max(table, key=len)}")
