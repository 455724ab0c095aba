# Purpose: kill -9 of `halfopen lab` at random moments leaves no process, no network
# namespace, no mount and no file but the evidence. Arguments: how many times, and
# with which clock.
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

from lab_helpers import HALFOPEN, adopt_orphans, check, family, kernel_cache, marked, mounts, need_kernel, patience, temporary_folder, wait_until

times, clock, seed = int(sys.argv[1]), sys.argv[2], random.randrange(10**6)
random.seed(seed)
print("seed", seed)
adopt_orphans()
folder = temporary_folder()
mark = f"HALFOPEN_TEST_MARK={os.getpid()}.{time.time_ns()}"
(folder / "work").mkdir()  # its working, home and temporary directory
environment = os.environ | dict([mark.split("=")]) | dict.fromkeys(("TMPDIR", "HOME"), str(folder / "work"))


def networks():
    """Network namespaces of this test's own processes; others' come and go."""
    found = set()
    for pid in family():
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/net"))
        except OSError:
            pass  # it ended meanwhile
    return found


def kernel_networks():
    """All network namespaces that the kernel holds, if it tells (root only)."""
    try:
        lines = pathlib.Path("/proc/slabinfo").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("net_namespace"))
    except (OSError, StopIteration):
        return 0


def shared_memory():
    """Names in /dev/shm, which not every machine has."""
    return set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()


before = networks(), mounts(), shared_memory(), set(family())
# With that grace a lab that is not killed takes almost a minute: it cannot be gone by itself.
command = [HALFOPEN, "lab", "--grace", "50", "--evidence", folder / "evidence", "--clock", clock]
if clock == "virtual":
    need_kernel()
    environment |= {"XDG_CACHE_HOME": kernel_cache()}
    command += ["--repeat", "20"]  # in which the grace takes no time
quietly = {"env": environment, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
kernel_before, most, alive = kernel_networks(), 0, 0
for number in range(times):
    # While it sets up its world; a guest's kernel, killed in its first milliseconds while it tries out
    # ptrace(2), can leave a stopped child (arch/um/os-Linux/start_up.c, start_ptraced_child).
    early = number % 3 == 0 and clock == "real"
    delay = random.uniform(0, 0.05) if early else random.uniform(0.05, 4 if times > 5 else 1)
    lab = subprocess.Popen(command, cwd=folder / "work", **quietly)
    time.sleep(delay)
    # A guest's processes have an environment of their own.
    seen = marked(mark) if clock == "real" else set(family()) - before[3]
    most = max(most, 0 if early else len(seen))
    alive += lab.poll() is None
    lab.send_signal(signal.SIGKILL)
    lab.wait()
    left = lambda: set(family()) - before[3] or marked(mark)  # noqa: E731
    gone = wait_until(lambda: not left(), patience(2))
    check(gone, f"killed after {delay:.3f} s: processes {[family().get(pid) for pid in left()]}")
    check(networks() == before[0], f"killed after {delay:.3f} s: network namespaces {networks()}")
    check(mounts() == before[1], f"killed after {delay:.3f} s: mounts {mounts()}")
    check(not os.listdir(folder / "work"), f"killed after {delay:.3f} s: files {os.listdir(folder / 'work')}")
    check(not {n for n in shared_memory() if "halfopen" in n} - before[2], "files in /dev/shm")

check(os.listdir(folder) in (["work", "evidence"], ["evidence", "work"]), f"files {os.listdir(folder)}")
check(most > 5, f"at most {most} processes were seen: the mark does not find them")
# The kernel frees namespaces a little later, and others may run labs: but not hundreds a kill.
settled = wait_until(lambda: kernel_networks() <= kernel_before + 400, 20)
check(settled, f"the kernel holds {kernel_networks()} network namespaces, {kernel_before} before")
print(f"{times} kills, {alive} of them while it ran, up to {most} processes: nothing left behind;",
      f"network namespaces in the kernel: {kernel_before} before, {kernel_networks()} after")  # fmt: skip
