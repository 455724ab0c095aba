# Purpose: unmodified redis-server with redis-cli, nginx with curl, and node run under the
# virtual clock, and wait for a dead host as long as they do on a real one.
import pathlib
import re
import shutil

from lab_helpers import check, halfopen, need_kernel

need_kernel()
script = pathlib.Path(__file__).parent.parent / "examples/virtual_clock/dead-host.sh"
# Seconds, and what they are made of: the kernel's own for a connect (redis-cli tries
# twice), and what the program sets on the connection that it has.
CASES = {
    "redis-connect": (["redis-cli"], 262, 290),
    "curl-connect": (["curl"], 131, 145),
    "node-connect": (["node"], 131, 145),
    "redis-reply": (["redis-cli", "redis-server"], 500, 1300),
    "curl-reply": (["curl", "nginx"], 540, 660),
    "node-reply": (["node", "nginx"], 10, 20),
}
for case, (programs, least, most) in CASES.items():
    missing = [program for program in programs if not shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")]
    if missing:
        print(f"{case}: not played, {missing} not installed")
        continue
    ran = halfopen("clock", "run", "--", script, case)
    found = re.search(rf"{case}: status (\d+) after ([0-9.]+) s", ran.stdout)
    check(ran.returncode == 0 and found, f"{case}: {ran.returncode} {ran.stdout} {ran.stderr}")
    check(least <= float(found[2]) <= most, f"{case}: {found[0]}, not {least} to {most} s")
    print(found[0])
