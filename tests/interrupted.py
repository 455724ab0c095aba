# Purpose: SIGINT or SIGTERM, to the process or from a terminal to its whole process
# group, ends the lab at once with code 130, readable evidence, and nothing left.
# Argument: the clock.
import os
import signal
import subprocess
import sys
import time

from lab_helpers import (
    HALFOPEN,
    adopt_orphans,
    check,
    family,
    mounts,
    need_kernel,
    temporary_folder,
    tshark,
    wait_until,
)

clock = ["--clock", sys.argv[1]]
if sys.argv[1] == "virtual":
    need_kernel()
    clock += ["--repeat", "20"]  # once, all at full length, it would be over
adopt_orphans()
before = mounts()
for name, send in ("process", os.kill), ("group", os.killpg):
    for number in signal.SIGINT, signal.SIGTERM:
        what = f"{number.name} to the {name}"
        evidence = temporary_folder() / "evidence"
        lab = subprocess.Popen([HALFOPEN, "lab", *clock, "--evidence", evidence], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0)  # fmt: skip
        # A second later, and at least with something to show.
        time.sleep(1)
        check(wait_until(lambda: sum(p.stat().st_size > 2000 for p in evidence.glob("*")) >= 10, 20), "evidence")
        send(lab.pid, number)
        out, errors = lab.communicate(timeout=60)  # at once; the end that it says it has is checked below
        check(lab.returncode == 130, f"{what}: exit code {lab.returncode}: {out[-300:]} {errors}")
        strange = [line for line in errors.splitlines() if not line.startswith("[")]
        check(not strange, f"{what}: {strange}")
        last = out.splitlines()[-1]
        check(last.startswith("Interrupted: ") and last.endswith(str(evidence)), f"{what}: {last}")
        largest = max(evidence.iterdir(), key=lambda path: path.stat().st_size)
        check(len(tshark(largest)) > 5, f"{what}: packets in the evidence")
        tshark(min(evidence.iterdir(), key=lambda path: path.stat().st_size))  # its run had just begun
        check(wait_until(lambda: not family(), 2), f"{what}: processes left: {family()}")
        check(mounts() == before, f"{what}: mounts left")
