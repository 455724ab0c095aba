# Purpose: two labs side by side do not disturb each other; two that share an
# evidence folder do not mix their captures: the second one is told, at once.
import subprocess
import time

from lab_helpers import HALFOPEN, check, halfopen, patience, temporary_folder, wait_until

folder = temporary_folder()
command = [HALFOPEN, "lab", "crash", "exit", "reboot", "--evidence"]
labs = [subprocess.Popen([*command, folder / name], stdout=subprocess.PIPE, text=True) for name in ("a", "b")]
check(wait_until(lambda: any(folder.glob("a/*")), patience(2)), "the first lab writes evidence")

began = time.monotonic()
third = halfopen("lab", "exit", "--evidence", folder / "a")
check(third.returncode == 2 and "another lab writes its evidence" in third.stderr, f"the third: {third}")
check(time.monotonic() - began < patience(0.5), "it is told at once")

for lab in labs:
    last = lab.communicate(timeout=100)[0].splitlines()[-1]
    check(lab.returncode == 0, f"exit code {lab.returncode}: {last}")
    check(last.startswith("30 of 30 runs as expected."), last)
