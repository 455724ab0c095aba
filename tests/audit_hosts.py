"""Programs in small networks of namespaces, for the tests of `halfopen audit` and `watch`.

A test calls in_a_world() first: it runs itself again as root of namespaces of its own, so that it needs no privileges
and nothing is left behind. A program is a function in a process of its own, whose name is the function's."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys

from lab_helpers import HALFOPEN, check, skip

"".encode("idna")  # what connect() loads must be loaded before a process may no longer read it
LIBC = ctypes.CDLL(None, use_errno=True)
NOBODY = "02:00:00:00:00:99"  # a hardware address that no host has


def in_a_world(with_users=False):
    """`with_users`: other users are there too, if this one is root."""
    if os.environ.get("AUDIT_WORLD"):
        return
    world = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if not (with_users and os.geteuid() == 0):
        world += ["--user", "--map-root-user"]
    if subprocess.run([*world, "ip", "link"], capture_output=True).returncode != 0:
        skip("no user namespaces here, or no iproute2")
    os.environ["AUDIT_WORLD"] = "yes"
    prepare = 'mount -t tmpfs tmpfs /run && ip link set lo up && exec "$@"'
    os.execvp(world[0], [*world, "sh", "-c", prepare, "sh", sys.executable, *sys.argv])


def ip(*command):
    subprocess.run(["ip", *map(str, command)], check=True)


def make_host(name):
    ip("netns", "add", name)
    ip("-n", name, "link", "set", "lo", "up")


def join(a, b, network, cable="cable0"):
    """A cable between two hosts: the first has the address network.1, the second .2 and .3."""
    ip("link", "add", cable, "netns", a, "type", "veth", "peer", "name", cable, "netns", b)
    for host, last in (a, "1"), (b, "2"), (b, "3"):
        ip("-n", host, "addr", "add", f"{network}.{last}/24", "dev", cable)
        ip("-n", host, "link", "set", cable, "up")


def vanish(host, address, cable="cable0"):
    """For that host the other one is gone: packets go out, and nobody answers."""
    ip("-n", host, "neigh", "replace", address, "lladdr", NOBODY, "dev", cable, "nud", "permanent")


def enter(host):
    fd = os.open(f"/run/netns/{host}", os.O_RDONLY)
    check(LIBC.setns(fd, 0) == 0, f"cannot enter {host}")
    os.close(fd)


def start(host, work, *arguments, name=None):
    """Runs work(...) on that host in a process of its own; comes back when it yields or ends its first part.

    `work` is a generator: it has done its first part at its first yield, and goes on at each SIGUSR1."""
    ready, into = os.pipe()
    pid = os.fork()
    if pid:
        os.close(into)
        check(os.read(ready, 1) == b"!", f"{work.__name__} did not come up")
        os.close(ready)
        return pid
    try:
        os.close(ready)
        LIBC.prctl(15, (name or work.__name__).encode(), 0, 0, 0)  # PR_SET_NAME
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        enter(host)
        parts = work(*arguments)
        kept = next(parts)  # noqa: F841  what it yields stays open
        os.write(into, b"!")
        while True:
            signal.sigwait({signal.SIGUSR1})
            kept = next(parts, kept)  # noqa: F841
    except BaseException as e:
        print(f"{work.__name__}: {e!r}", file=sys.stderr)
    finally:
        os._exit(1)


def go_on(pid):
    os.kill(pid, signal.SIGUSR1)


def connect(address, port, **options):
    s = socket.create_connection((address, port))
    set_options(s, **options)
    return s


def set_options(s, idle=None, interval=1, count=9, user_timeout=0):
    if idle:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, count)
    if user_timeout:
        s.setsockopt(socket.IPPROTO_TCP, 18, user_timeout)


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.close()


def audit(*options, code=0):
    ran = subprocess.run([HALFOPEN, "audit", *map(str, options)], capture_output=True, text=True)
    check(ran.returncode == code, f"audit {options}: exit code {ran.returncode}, not {code}: {ran.stdout}{ran.stderr}")
    return ran.stdout


def audit_lines(*options, code=0):
    return [json.loads(line) for line in audit("--json", *options, code=code).splitlines()]


def wrongs_by_name(lines):
    """{name of the process: what is wrong with its sockets}; of orphans under ""."""
    found = {}
    for line in lines:
        if line["kind"] in ("connection", "listener"):
            name = line["process"]["name"] if line["process"] else ""
            found.setdefault(name, set()).update(w["what"] for w in line["wrong"])
    return found
