# Purpose: two network namespaces with the same addresses and ports are told apart: each connection has its own
# process, namespace, options and settings. And a control group's name finds a container.
import os
import pathlib

from audit_hosts import audit, audit_lines, connect, in_a_world, ip, join, make_host, start
from lab_helpers import check

in_a_world()
import socket  # noqa: E402

for twin in "a", "b":
    for host in f"client_{twin}", f"server_{twin}":
        make_host(host)
    join(f"client_{twin}", f"server_{twin}", "10.0.0")


def door():
    yield socket.create_server(("", 80), backlog=64)


def calls(idle):
    s = socket.socket()
    s.bind(("10.0.0.1", 4444))
    if idle:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
    s.connect(("10.0.0.2", 80))
    yield s


def retries(n):
    pathlib.Path("/proc/sys/net/ipv4/tcp_retries2").write_text(str(n))
    yield None


pids = {}
for twin, idle, n in ("a", 33, 3), ("b", 0, 8):
    start(f"server_{twin}", door, name=f"door_{twin}")
    start(f"client_{twin}", retries, n)
    pids[twin] = start(f"client_{twin}", calls, idle, name=f"calls_{twin}")

found = {line["process"]["name"]: line for line in audit_lines() if line.get("process")}
a, b = found["calls_a"], found["calls_b"]
for field in "local", "remote":
    check(a[field] == b[field], f"not the same addresses: {a[field]} and {b[field]}")
check(a["network"]["name"] == "client_a" and b["network"]["name"] == "client_b", "the namespaces' names")
check(a["options"]["TCP_KEEPIDLE"] == 33 and a["options"]["SO_KEEPALIVE"], f"options of a: {a['options']}")
check(not b["options"]["SO_KEEPALIVE"], f"options of b: {b['options']}")
check(a["noticed"]["in_flight"]["at_least_s"] < 10 < 100 < b["noticed"]["in_flight"]["at_least_s"],
      f"each namespace's own tcp_retries2: {a['noticed']} {b['noticed']}")  # fmt: skip

for whose, expected in ("client_a", {"calls_a"}), (pids["b"], {"calls_b"}):
    names = {line["process"]["name"] for line in audit_lines("--netns", whose) if line.get("process")}
    check(names == expected, f"--netns {whose}: {names}")
audit("--netns", "client_c", code=2)

# A namespace that no process is in: only `--netns all` looks there.
make_host("empty")
for options, expected in ((), False), (("--netns", "all"), True):
    networks = {n["name"] for n in audit_lines(*options)[-1]["networks"]}
    check(("empty" in networks) == expected, f"{options}: {networks}")

# Control groups, where this user may make one.
container = "0123456789abcdef" * 4
for root in pathlib.Path("/sys/fs/cgroup"), pathlib.Path("/sys/fs/cgroup/pids"):
    group = root / f"docker-{container}.scope"
    try:
        if not (root / "cgroup.clone_children").exists() and not (root / "cgroup.controllers").exists():
            continue  # no control group, but the folder that they are in
        group.mkdir()
        (group / "cgroup.procs").write_text(str(pids["a"]))
    except OSError:
        continue
    try:
        lines = [line for line in audit_lines("--container", container[:12]) if line.get("process")]
        check({line["process"]["name"] for line in lines} == {"calls_a"}, f"--container: {lines}")
        check(lines[0]["process"]["container"] == container, f"the container's name: {lines[0]['process']}")
        check(container[:12] in audit(pids["a"]), "the table names the container")
    finally:
        (root / "cgroup.procs").write_text(str(pids["a"]))
        group.rmdir()
    break
else:
    print("without a control group: this user may not make one")
audit("--container", "ffff", code=2)
