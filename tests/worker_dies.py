"""A worker that dies of a signal is noticed, though its master lives, and reaps it without a word."""

import os
import pathlib
import sys

from lab_helpers import HALFOPEN, check, judged, skip, temporary_folder

if tuple(map(int, os.uname().release.split("-")[0].split(".")[:2])) < (6, 15):
    skip("a process's end is told to its parent only before Linux 6.15")

SERVER = """
import os, signal, socket
listener = socket.create_server(("", 7007), backlog=64)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
while True:
    connection, _ = listener.accept()
    if os.fork() == 0:
        listener.close()
        while True:
            try:
                data = connection.recv(4096)
            except OSError:
                os.abort()
            if not data:
                os._exit(0)
            connection.sendall(data)
    connection.close()
"""
program = pathlib.Path(temporary_folder()) / "server.py"
program.write_text(SERVER)
cases = {
    c["id"]: c
    for c in judged(
        f"exec {sys.executable} {program}", f"(echo one; sleep 1; echo two) | {HALFOPEN} call echo server",
        "--clock", "real", "--limit", 5, "--case", "sigpipe/1", "--case", "reboot/2", "--case", "exit/1",
    )
}
for name, verdict, words in (("sigpipe/1", "warn", "SIGPIPE"), ("reboot/2", "fail", "SIGABRT"), ("exit/1", "pass", "lives")):
    case = cases[name]
    check(case["verdict"] == verdict and words in case["happened"], f"{name}: {case['verdict']}: {case['happened']}")
