# Purpose: an ordinary user needs no privileges; one who may not make user
# namespaces is told why and what to do, with exit code 3; or uses the virtual
# clock, which needs none.
import os
import pathlib
import shutil
import subprocess
import sys

from lab_helpers import HALFOPEN, check, skip, temporary_folder

folder = temporary_folder()
cache = folder / "cache"  # nothing is in it yet: no kernel of the virtual clock
program = shutil.copy(HALFOPEN, folder / "halfopen")  # the build folder may be closed to others
become = []
if os.geteuid() == 0:
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    os.chown(folder, 65534, 65534)


def run(*command):
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    return subprocess.run([*become, *command], capture_output=True, text=True, cwd=folder, timeout=200, env=environment)


if run("unshare", "--user", "--map-root-user", "true").returncode != 0:
    skip("an ordinary user may not make namespaces here")
doctor = run(program, "doctor")
check(doctor.returncode == 0, f"doctor: {doctor.stdout}")
check("namespaces, as an ordinary user (works)" in doctor.stdout, doctor.stdout)
lab = run(program, "lab", "exit", "crash/connecting-host", "--evidence", folder / "evidence")
check(lab.returncode == 0, f"lab: {lab.returncode} {lab.stderr}")
owners = {path.stat().st_uid for path in (folder / "evidence").iterdir()}
check(owners == {65534 if become else os.geteuid()}, f"the evidence is the user's own: {owners}")

# In a user namespace where no more of them may be made, as an ordinary user of it.
refused = "echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --inh-caps=-all --ambient-caps=-all "
nested = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--keep-caps", "sh", "-c"]
for verb, stream in ("doctor", "stdout"), ("lab exit --evidence evidence", "stderr"):
    ran = run(*nested, f"{refused} {program} {verb}")
    said = getattr(ran, stream)
    check(ran.returncode == 3, f"{verb}: exit code {ran.returncode}: {said}")
    for words in ("cannot make namespaces", "remedy: sudo sysctl -w user.max_user_namespaces=", "cannot run the lab"):
        check(words in said, f"{verb}: does not say '{words}': {said}")

# The virtual clock's kernel, if this machine has one, where that user can read it.
status = subprocess.run([HALFOPEN, "clock", "status"], capture_output=True, text=True, timeout=100)
if status.returncode != 0:
    print("without the virtual clock: halfopen clock build")
    sys.exit(0)
kernel = pathlib.Path(status.stdout.split()[1]).parent
shutil.copytree(kernel, cache / "halfopen/kernel" / kernel.name)
ran = run(*nested, f"{refused} {program} doctor")
check(ran.returncode == 0, f"doctor with a kernel: {ran.returncode}: {ran.stdout}")
for words in "cannot make namespaces", "This machine can run the lab with the virtual clock.":
    check(words in ran.stdout, f"doctor does not say '{words}': {ran.stdout}")
ran = run(*nested, f"{refused} {program} lab exit reboot crash/connecting --clock virtual --evidence virtual")
check(ran.returncode == 0, f"lab --clock virtual: {ran.returncode}: {ran.stdout} {ran.stderr}")
check("14 of 14 runs as expected." in ran.stdout, ran.stdout)
