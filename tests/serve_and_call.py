# Purpose: the built-in servers and clients work on their own, in every format;
# SIGTERM ends a robust server in order; options that make no sense are refused.
import signal
import socket
import subprocess

from lab_helpers import HALFOPEN, check, halfopen

WORKS = [
    ("echo", "naive", "text", "hello\nworld\n", "hello\nworld\n"),
    ("echo", "robust", "text", "hello\nworld\n", "hello\nworld\n"),
    ("sum", "naive", "raw", "1 2\n-22 -77\n", "3\n-99\n"),
    ("sum", "naive", "text", "1 2\n-22 -77\n", "3\n-99\n"),
    ("sum", "robust", "text", "1 2\n-22 -77\n", "3\n-99\n"),
    ("sum", "robust", "binary", "1 2\n-22 -77\n", "3\n-99\n"),
]
for service, pair, form, requests, replies in WORKS:
    options = [service, "--pair", pair, "--format", form]
    server = subprocess.Popen([HALFOPEN, "serve", *options, "--port", "0"], stdout=subprocess.PIPE, text=True)
    target = server.stdout.readline().removeprefix("listening on ").strip()
    client = halfopen("call", *options, target, stdin=None, input=requests, timeout=20)
    server.send_signal(signal.SIGTERM)
    ended = server.wait(timeout=10)
    check(client.returncode == 0, f"{options}: the client's exit code {client.returncode} {client.stderr}")
    check(client.stdout == replies, f"{options}: {client.stdout}")
    check(ended == (0 if pair == "robust" else -signal.SIGTERM), f"{options}: the server ends with {ended}")

server = subprocess.Popen(
    [HALFOPEN, "serve", "echo", "--port", "0", "--timeout", "0.2"],
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
)
host, port = server.stdout.readline().removeprefix("listening on ").strip().split(":")
with socket.create_connection((host, int(port)), timeout=20) as slow:
    slow.sendall(b"hel")
    check(slow.recv(1) == b"", "serve --timeout: half a request has no end")
    said = server.stderr.readline()
    check("deadline_passed" in said, f"serve --timeout: {said}")
server.send_signal(signal.SIGTERM)
server.wait(timeout=10)

BAD = [
    ("call", "echo"),  # to whom?
    ("call", "echo", "--pipeline", "0", "localhost"),
    ("call", "sum", "--pair", "naive", "--format", "binary", "localhost"),
    ("call", "sum", "--layout", "vax", "localhost"),
    ("serve",),
    ("serve", "time"),
    ("serve", "echo", "--port", "99999"),
    ("serve", "echo", "--grace", "-1"),
    ("serve", "echo", "--timeout", "soon"),
    ("serve", "sum", "--format", "raw"),
    ("serve", "sum", "--format", "xml"),
]
for arguments in BAD:
    ran = halfopen(*arguments, timeout=10)
    check(ran.returncode == 2 and ran.stderr, f"{arguments}: exit code {ran.returncode} {ran.stderr}")
refused = halfopen("call", "echo", "127.0.0.1:1", stdin=None, input="x\n", timeout=20)
check(refused.returncode == 1 and "refused" in refused.stderr, f"nobody listens: {refused}")
