"""--terminal: the client has one, its exit status and its death are its own, and it is judged as any other."""

import shutil
import sys

from lab_helpers import HALFOPEN, check, halfopen, judged, skip

if shutil.which("script") is None:
    skip("script is not installed")
SERVER = f"exec {HALFOPEN} serve echo --listen 0.0.0.0"
# It works on a terminal only, as those that ask for a password do.
WANTS_ONE = f"test -t 0 && test -t 1 && test -t 2 && echo hello | {HALFOPEN} call echo server"
DIES = f"""exec {sys.executable} -c '
import os, signal, socket, sys
connection = socket.create_connection(("server", 7007))
connection.sendall(b"hello\\n")
got = connection.recv(100)
if got != b"hello\\n":
    os.kill(os.getpid(), signal.SIGSEGV)
print(got, sys.stdout.isatty())'"""


def verdict(client, *options):
    (case,) = judged(SERVER, client, "--case", "exit/6", "--clock", "real", "--terminal", *options)
    return case


without = halfopen("test", "--server", SERVER, "--client", WANTS_ONE, "--case", "exit/6", "--clock", "real")
check(without.returncode == 2, f"without a terminal: {without.returncode}\n{without.stdout}{without.stderr}")
case = verdict(WANTS_ONE)
check((case["verdict"], case["outcome"]) == ("pass", "reported"), case["happened"] or case["reason"])
case = verdict(DIES)
check((case["verdict"], case["outcome"]) == ("fail", "crashed"), case["happened"] or case["reason"])
check("SIGSEGV" in case["happened"], case["happened"])
