# Purpose: python's modules over libhalfopen.so.1, on real sockets: tests/python, by pytest.
import os
import pathlib
import shutil
import subprocess
import sys

from lab_helpers import check, skip, temporary_folder

root = pathlib.Path(__file__).parents[1]


def has_pytest(python):
    return shutil.which(python) and subprocess.run([python, "-c", "import pytest"], capture_output=True).returncode == 0


python = next(filter(has_pytest, (sys.executable, "/usr/bin/python3")), None) or skip("pytest is not installed")
environment = os.environ | {"PYTHONPATH": str(root / "python")}
command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(root / "tests/python")]
ran = subprocess.run(command, env=environment, cwd=temporary_folder(), stdin=subprocess.DEVNULL, capture_output=True,
                     text=True, timeout=250)  # fmt: skip
check(ran.returncode == 0 and " passed" in ran.stdout, f"{command}: {ran.returncode}\n{ran.stdout}{ran.stderr}")

# Without the library it says what to do, and the module that holds the reins does without.
environment["HALFOPEN_LIBRARY"] = "/nowhere/libhalfopen.so.1"
ran = subprocess.run([python, "-c", "import halfopen, halfopen.fate"], env=environment, capture_output=True, text=True)
check("ImportError: /nowhere/libhalfopen.so.1 cannot be loaded" in ran.stderr and "libhalfopen1" in ran.stderr, ran)
