"""A minimal system may have neither /etc/hosts nor another file of names: the lab's hosts find each other all the same.

Skipped without root: the system's /etc is covered in a mount namespace of the test's own.
"""

import os
import subprocess

from lab_helpers import HALFOPEN, check, skip, temporary_folder

if os.geteuid() != 0:
    skip("needs root")
bare = temporary_folder() / "etc"
script = f"""
set -e
cp -a /etc {bare}
rm -f {bare}/hosts {bare}/host.conf {bare}/gai.conf {bare}/nsswitch.conf {bare}/resolv.conf
mount --bind {bare} /etc
{HALFOPEN} lab --clock real exit/fin-first
test ! -e /etc/hosts
"""
ran = subprocess.run(["unshare", "--mount", "--propagation", "slave", "sh", "-c", script], capture_output=True, text=True,
                     timeout=100)
check(ran.returncode == 0 and "2 of 2 runs as expected" in ran.stdout, f"{ran.returncode}\n{ran.stdout}{ran.stderr}")
