# Purpose: an ordinary user sees the connections of processes of that user's, and of no others; what may not be looked
# at is counted and named, with what would allow it, and nothing is guessed of it. Needs root, to be two users.
#
# This kernel may have no Yama, so kernel.yama.ptrace_scope 1 is played by what the audit sees of it: pidfd_getfd(2)
# fails with EPERM (a seccomp filter of the audit's process), and the sysctl's file says 1.
import ctypes
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile

from audit_hosts import LIBC, connect, go_on, in_a_world, join, make_host, start
from lab_helpers import HALFOPEN, check, skip, wait_until

if os.geteuid() != 0:
    skip("needs root")
in_a_world(with_users=True)

USER = 65534
folder = pathlib.Path(tempfile.mkdtemp(dir="/run"))
folder.chmod(0o755)
program = shutil.copy(HALFOPEN, folder / "halfopen")  # the build folder may be closed to others
make_host("client")
make_host("server")
join("client", "server", "10.0.0")


def door():
    yield socket.create_server(("", 5432), backlog=64)


def become(user):
    os.setgid(user)
    os.setuid(user)
    LIBC.prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, which a change of user has taken away


def users():
    become(USER)
    yield connect("10.0.0.2", 5432, idle=44)


def secret():
    """May not be looked at even by its own user (prctl(2), PR_SET_DUMPABLE)."""
    become(USER)
    s = connect("10.0.0.2", 5432)
    LIBC.prctl(4, 0, 0, 0, 0)
    yield s


def elsewhere():
    """In a namespace that this user may not enter."""
    become(USER)
    yield connect("10.0.0.3", 5432, idle=66)


def rootless():
    """In a container of this user's own: a user namespace, and a network that belongs to it."""
    become(USER)
    check(LIBC.unshare(0x10000000 | 0x40000000) == 0, "unshare")  # CLONE_NEWUSER, CLONE_NEWNET
    pathlib.Path("/proc/self/uid_map").write_text(f"0 {USER} 1")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    s = socket.create_server(("127.0.0.1", 5432), backlog=64)
    pathlib.Path("/proc/sys/net/ipv4/tcp_retries2").write_text("6")
    waits = connect("127.0.0.1", 5432, idle=77)
    LIBC.prctl(4, 1, 0, 0, 0)
    yield s, waits


def subordinate():
    """The same, as another user of the container's: outside it has one of this user's sub-UIDs."""
    become(USER)
    check(LIBC.unshare(0x10000000 | 0x40000000) == 0, "unshare")
    yield None
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.setgroups([])
    os.setgid(1)
    os.setuid(1)
    s = socket.create_server(("127.0.0.1", 5432), backlog=64)
    waits = connect("127.0.0.1", 5432, idle=88)
    LIBC.prctl(4, 1, 0, 0, 0)
    yield s, waits


def roots():
    yield connect("10.0.0.2", 5432, idle=55)


start("server", door)
pids = {work.__name__: start("client", work) for work in (users, secret, roots)}
pids["elsewhere"] = start("server", elsewhere)
with_containers = subprocess.run(["unshare", "--user", "--net", "true"], preexec_fn=lambda: become(USER)).returncode == 0
if with_containers:
    pids["rootless"] = start("client", rootless)
    pids["subordinate"] = start("client", subordinate)
    for which in "uid_map", "gid_map":  # as newuidmap(1) does
        pathlib.Path(f"/proc/{pids['subordinate']}/{which}").write_text(f"0 {USER} 1\n1 100000 9\n")
    go_on(pids["subordinate"])
    netns = f"/proc/{pids['subordinate']}/ns/net"
    count = ["nsenter", "--net=" + netns, "ss", "-tnH", "state", "established"]
    check(wait_until(lambda: subprocess.check_output(count).count(b"\n") == 2, 60), "it connects to itself")
    has_become = lambda: pathlib.Path(f"/proc/{pids['subordinate']}").stat().st_uid == 100000
    check(wait_until(has_become, 60), "it is of another user, and may be looked at")
else:
    print("without a container: an ordinary user may not make one here")
expected = {"users", "elsewhere"} | ({"rootless", "subordinate"} if with_containers else set())


def forbid_pidfd_getfd():
    """A seccomp filter: load the number of the call; 438 is answered EPERM, all else allowed."""
    instructions = [(0x20, 0, 0, 0), (0x15, 0, 1, 438), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
    filters = b"".join(struct.pack("HBBI", *i) for i in instructions)
    kept = ctypes.create_string_buffer(filters)

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    wanted = Program(len(instructions), ctypes.cast(kept, ctypes.c_void_p))
    LIBC.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    if LIBC.prctl(22, 2, ctypes.byref(wanted), 0, 0) != 0:  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        os._exit(99)


def audit(*options, user=USER, forbid=False, code=0, scope=None):
    def prepare():
        if scope is not None:
            check(LIBC.unshare(0x20000) == 0, "unshare")  # CLONE_NEWNS
            subprocess.run(["mount", "--make-rprivate", "/"], check=True)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/proc/sys/kernel"], check=True)
            pathlib.Path("/proc/sys/kernel/yama").mkdir()
            pathlib.Path("/proc/sys/kernel/yama/ptrace_scope").write_text(f"{scope}\n")
        if user:
            os.setgid(user)
            os.setuid(user)
        if forbid:
            forbid_pidfd_getfd()

    # In the client's namespace, as a user is in that of the processes.
    fd = os.open("/run/netns/client", os.O_RDONLY)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    LIBC.setns(fd, 0)
    ran = subprocess.run([program, "audit", *options], capture_output=True, text=True, preexec_fn=prepare)
    LIBC.setns(home, 0)
    check(ran.returncode == code, f"{options}: {ran.returncode}, not {code}: {ran.stdout}{ran.stderr}")
    return ran.stdout


def lines(*options, **how):
    return [json.loads(line) for line in audit("--json", *options, **how).splitlines()]


def by_name(all_lines):
    return {line["process"]["name"]: line for line in all_lines if line.get("process")}


# An ordinary user.
said = lines()
found = by_name(said)
check(found.keys() == expected, f"of this user: {found.keys()}")
check(found["users"]["options"]["TCP_KEEPIDLE"] == 44, "its options")
hidden = {line["name"]: line for line in said if line["kind"] == "not_seen"}
check(hidden.keys() == {"secret", "elsewhere"}, f"not seen: {hidden}")
check(hidden["secret"]["pid"] == pids["secret"] and "descriptors" in hidden["secret"]["why"], f"{hidden['secret']}")
check("CAP_SYS_ADMIN" in hidden["elsewhere"]["why"], f"{hidden['elsewhere']}")
other = found["elsewhere"]
check(other["options"]["TCP_KEEPIDLE"] == 66 and other["noticed"]["idle"]["by"] == "keepalive", f"by descriptor: {other}")
check(other["noticed"]["in_flight"]["by"] == "not_known", f"tcp_retries2 of there was not read: {other['noticed']}")
if with_containers:
    for name, seconds in ("rootless", 77), ("subordinate", 88):
        own = [line for line in said if line.get("process") and line["process"]["name"] == name]
        idle = [line["options"]["TCP_KEEPIDLE"] for line in own if line.get("options", {}).get("SO_KEEPALIVE")]
        check(idle == [seconds] and all(c["noticed"]["in_flight"]["by"] == "retries2" for c in own if "noticed" in c),
              f"a container of this user's, with its own settings: {own}")  # fmt: skip
unowned = [line for line in said if line["kind"] == "connection" and not line["process"]]
check(len(unowned) == 1 and unowned[0]["noticed"]["idle"]["by"] == "not_known", f"the secret one's connection: {unowned}")
for words in "Not seen of 1 process", "secret", "CAP_SYS_PTRACE":
    check(words in audit(), f"does not say '{words}'")

# Root sees them all.
said = lines(user=0)
check(by_name(said).keys() == expected | {"secret", "roots"}, f"as root: {by_name(said).keys()}")
check(not any(line["kind"] == "not_seen" for line in said), "root may look at all")

# As with kernel.yama.ptrace_scope 1: the processes are there, their options are not.
said = lines(forbid=True)
found = by_name(said)
check(found["users"]["options"] is None, f"options that were not to be read: {found['users']['options']}")
for phase in "idle", "in_flight", "now":
    check(found["users"]["noticed"][phase]["by"] == "not_known", f"guessed: {found['users']['noticed']}")
table = audit(forbid=True, scope=1)
for words in "users", "not known", "kernel.yama.ptrace_scope is 1", "sysctl -w kernel.yama.ptrace_scope=0":
    check(words in table, f"ptrace_scope 1: does not say '{words}':\n{table}")
check("=0" not in audit(forbid=True, scope=3), "ptrace_scope 3 cannot be changed")
check("not known" in audit("users", "--within", "30s", forbid=True, code=3), "--within, of what is not known")
audit("users", "--within", "30s", code=1)
# Whose connections may not be seen, of them nothing is promised.
check("is not known" in audit("secret", "--within", "1h", code=3), "--within, of a process that may not be looked at")
check("network namespace server" in audit("--netns", "server", "--within", "900h", code=3), "a namespace that is closed")
