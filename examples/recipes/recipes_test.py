# Purpose: each recipe, built and run against a peer that resets and one that closes in the middle of its reply, names
# what happened; and `halfopen audit` finds that its socket would notice a dead peer within the number that it was given.
# A recipe whose library is missing here is skipped, with a sentence. Arguments: names, or all.
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

HALFOPEN, LIBRARY, FATE = (os.environ[name] for name in ("HALFOPEN", "HALFOPEN_LIBRARY", "HALFOPEN_FATE"))
here = pathlib.Path(__file__).parent
root = here.parents[1]
folder = pathlib.Path(tempfile.mkdtemp(prefix="halfopen-recipes-"))
environment = os.environ | {"PYTHONPATH": str(root / "python"), "PYTHONDONTWRITEBYTECODE": "1"}


class Skipped(Exception):
    pass


def run(*command, cwd=folder):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=cwd,
                          env=environment, timeout=240)  # fmt: skip
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def flags(package, debian):
    """Of pkg-config."""
    if package is None:
        return []
    if subprocess.run(["pkg-config", "--exists", package]).returncode != 0:
        raise Skipped(f"{package} is not installed (Debian: {debian})")
    return run("pkg-config", "--cflags", "--libs", package).split()


def needs(program, debian):
    return shutil.which(program) or _skip(f"{program} is not installed (Debian: {debian})")


def _skip(why):
    raise Skipped(why)


def c(name, package=None, debian=""):
    """One in C, over the shared library."""
    runtime = f"-Wl,-rpath,{pathlib.Path(LIBRARY).parent}"
    run("cc", "-std=gnu99", "-Wall", "-Wextra", "-Werror", "-o", name, here / f"{name}.c", f"-I{root / 'include'}", LIBRARY,
        runtime, *flags(package, debian))  # fmt: skip
    return [folder / name]


def cpp(name, *links):
    run("g++", "-std=c++17", "-O0", "-Wall", "-Wextra", "-Werror", "-o", name, here / f"{name}.cpp", f"-I{root / 'include'}",
        *links)  # fmt: skip
    return [folder / name]


def boost_asio():
    if not os.path.exists("/usr/include/boost/asio.hpp"):
        _skip("Boost.Asio is not installed (Debian: libboost-dev)")
    return cpp("boost_asio", FATE, "-pthread")


def python(name, module):
    """With a python that has the module."""
    for candidate in sys.executable, "/usr/bin/python3":
        if shutil.which(candidate) and subprocess.run([candidate, "-c", f"import {module}"], capture_output=True).returncode == 0:
            return [candidate, here / f"{name}.py"]
    raise Skipped(f"python has no {module} (Debian: python3-{module})")


def tables(language):
    return run(sys.executable, here / "tables.py", language, 10)


def go():
    needs("go", "golang-go")
    place = folder / "go"
    shutil.copytree(here / "go", place)
    (place / "halfopen_tables.go").write_text(tables("go"))
    run("gofmt", "-w", place / "halfopen_tables.go")
    assert run("gofmt", "-d", place / "main.go") == ""
    run("go", "build", "-o", folder / "ask", ".", cwd=place)
    return [folder / "ask"]


def node():
    needs("node", "nodejs")
    (folder / "tables.json").write_text(tables("json"))
    return ["node", here / "node.mjs", folder / "tables.json"]


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def answer(listening, what, asked_with, half, seen):
    """One connection: reads what is asked, has its client looked at, and resets it, or sends half and closes."""
    connection, client = listening.accept()
    asked = b""
    while asked_with not in asked:
        asked += connection.recv(4096) or sys.exit(f"nothing more than {asked!r}")
    looked = subprocess.run([HALFOPEN, "audit", "--json", "--port", str(client[1])], capture_output=True, text=True)
    seen += [c for c in map(json.loads, looked.stdout.splitlines()) if c.get("opened_by") == "this_host"]
    if what == "reset":
        return reset(connection)
    connection.sendall(half)
    connection.close()


LINE = b"\n", b"half a li"
HTTP = b"\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None
WITHIN_10_S = {"SO_KEEPALIVE": True, "TCP_KEEPIDLE": 4, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 9800}
RESET = "peer_reset or peer_rebooted while awaiting_reply: read: ECONNRESET (Connection reset by peer); retry: unknown\n"
FIN = "peer_closed while receiving_reply: read: end-of-file; retry: unknown\n"


def play(command, what, speaks, separate=True):
    """What it says, and what its socket has."""
    asked_with, half = speaks
    seen = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host, port = listening.getsockname()
        peer = threading.Thread(target=answer, args=(listening, what, asked_with, half, seen), daemon=True)
        peer.start()
        arguments = [host, port] if separate else [f"{host}:{port}"]
        done = subprocess.run([*map(str, command + arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env=environment, timeout=120)  # fmt: skip
        peer.join(20)
    assert len(seen) == 1, f"audit has seen {seen}; {done}"
    return done, seen[0]["noticed"], seen[0]["options"]


def check(command, speaks=LINE):
    """Both ends, with the words that are expected."""
    for what, words in (("reset", RESET), ("half", FIN)):
        done, noticed, options = play(command, what, speaks)
        if done.returncode == 77:
            raise Skipped(done.stdout.strip().removeprefix("skipped: "))
        assert done.returncode == 1 and done.stdout == words, (what, done)
        assert WITHIN_10_S.items() <= options.items(), options
        assert noticed["idle"]["at_least_s"] == 10 and noticed["in_flight"]["by"] == "user_timeout", noticed


def check_go(command):
    for what, begins, ends in ("reset", "peer_reset while awaiting_reply: read: ", ": connection reset by peer\n"), \
            ("half", "peer_closed while receiving_reply: read: EOF", "\n"):  # fmt: skip
        done, _, options = play(command, what, LINE, separate=False)
        assert done.returncode == 1 and done.stdout.startswith(begins) and done.stdout.endswith(ends), done
        assert WITHIN_10_S.items() <= options.items(), options


def check_node(command):
    for what, words in ("reset", "peer_reset while awaiting_reply: read: ECONNRESET\n"), \
            ("half", "peer_closed while receiving_reply: read: end-of-file\n"):  # fmt: skip
        done, noticed, options = play(command, what, LINE)
        assert done.returncode == 1 and done.stdout == words, done
        # What its comment says: idle, node's own 10 probes; and nothing for data in flight.
        assert options["TCP_KEEPIDLE"] == 4 and options["TCP_USER_TIMEOUT"] == 0, options
        assert noticed["idle"]["by"] == "keepalive" and noticed["in_flight"]["by"] == "retries2", noticed


def check_grpc(command):
    done, _, options = play(command, "reset", HTTP2)
    assert done.returncode == 1 and done.stdout.startswith("UNAVAILABLE: ") and "reset" in done.stdout, done
    assert options["TCP_USER_TIMEOUT"] == 5000, options  # which gRPC has set


RECIPES = {
    "epoll": (lambda: c("epoll"), check),
    "io_uring": (lambda: c("io_uring", "liburing", "liburing-dev"), check),
    "libuv": (lambda: c("libuv", "libuv", "libuv1-dev"), check),
    "libevent": (lambda: c("libevent", "libevent", "libevent-dev"), check),
    "boost_asio": (boost_asio, check),
    "grpc": (lambda: cpp("grpc", *flags("grpc++", "libgrpc++-dev")), check_grpc),
    "asyncio": (lambda: python("with_asyncio", "asyncio"), check),
    "requests": (lambda: python("with_requests", "requests"), lambda command: check(command, HTTP)),
    "go": (go, check_go),
    "node": (node, check_node),
}

try:
    played = 0
    for name in sys.argv[1:] or RECIPES:
        make, examine = RECIPES[name]
        try:
            examine(make())
        except Skipped as e:
            print(f"{name}: skipped: {e}")
            continue
        print(f"{name}: as expected", flush=True)
        played += 1
finally:
    shutil.rmtree(folder, ignore_errors=True)
sys.exit(0 if played else 77)
