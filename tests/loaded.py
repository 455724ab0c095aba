# Purpose: verdicts do not depend on a quiet machine: the whole lab with few runs
# side by side, and with every core busy. Argument: jobs, busy loops, IP version.
import sys

from lab_helpers import busy_loops, check, halfopen, temporary_folder

jobs, loops, ip = sys.argv[1:]
with busy_loops(int(loops)):
    ran = halfopen("lab", "--jobs", jobs, "--ip", ip, "--evidence", temporary_folder() / "evidence")
unmet = [line for line in ran.stderr.splitlines() if ": met: " not in line]
check(ran.returncode == 0, "\n".join([f"exit code {ran.returncode}", *unmet, ran.stdout[-4000:]]))
