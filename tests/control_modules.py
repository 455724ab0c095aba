# Purpose: tests in python and in node drive a crash and a recovery of redis under a service. Argument: the language.
import os
import pathlib
import shutil
import subprocess
import sys

from lab_helpers import HALFOPEN, adopt_orphans, check, family, skip, temporary_folder, wait_until

root = pathlib.Path(__file__).parents[1]
for needed in ("redis-server", "node", "curl"):
    if shutil.which(needed) is None:
        skip(f"{needed} is not installed")
adopt_orphans()
folder = temporary_folder()


def has_pytest(python):
    return shutil.which(python) and subprocess.run([python, "-c", "import pytest"], capture_output=True).returncode == 0


if sys.argv[1] == "python":
    python = next(filter(has_pytest, (sys.executable, "/usr/bin/python3")), None) or skip("pytest is not installed")
    command = [python, "-m", "pytest", "-q", "-p", "halfopen.pytest_plugin", "-p", "no:cacheprovider", "--basetemp",
               str(folder / "pytest"), str(root / "examples/visits")]  # fmt: skip
    tests = "4 passed"
else:
    command = ["node", "--test", str(root / "examples/visits/visits.test.mjs")]
    tests = "pass 1"
environment = os.environ | {"HALFOPEN": HALFOPEN, "PYTHONPATH": str(root / "python"), "TMPDIR": str(folder)}
ran = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=250)
check(ran.returncode == 0 and tests in ran.stdout, f"{command}: {ran.returncode}\n{ran.stdout}{ran.stderr}")
check(wait_until(lambda: not family(), 20), f"processes left: {family()}")
print(ran.stdout)
