"""A program with one defect is caught by the cases that shall catch it, and by no other.

Each program of `halfopen_broken list` goes through all cases of its kind, with the flawless
one as its peer. `broken.py server/dies-of-sigpipe ...` tries only those."""

import concurrent.futures
import json
import os
import subprocess
import sys
import time

from lab_helpers import check, halfopen, temporary_folder

BROKEN = os.environ["HALFOPEN_BROKEN"]
AT_ONCE = 4  # most of the time is waiting
HERE = temporary_folder()


def entries():
    """{"server/none": {"fail": {...}, "warn": {...}, "remark": {...}}}: what shall be found."""
    listed = subprocess.run([BROKEN, "list"], capture_output=True, text=True, check=True).stdout
    rows = (line.split("\t") for line in listed.splitlines())
    return {
        f"{whose}/{name}": {"fail": set(fails.split()), "warn": set(warns.split()), "remark": set(remarks.split())}
        for whose, name, _, fails, warns, remarks in rows
    }


def judge(entry):
    whose, name = entry.split("/")
    defect = {"server": "none", "client": "none"} | {whose: name}
    results = HERE / f"{whose}-{name}.json"
    ran = halfopen(
        "test", "--subject", whose, "--limit", 12, "--json", results,
        "--server", f"exec {BROKEN} server {defect['server']} --port 7",
        "--client", f"exec {BROKEN} client {defect['client']} server 7",
    )
    check(results.exists(), f"{entry}: exit {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return json.loads(results.read_text())["pairs"][0]["cases"]


def is_remark(result):
    return result["verdict"] == "pass" and "twice" in result["happened"]


def differences(results, shall):
    """A line a case that says something else than it shall."""
    for r in results:
        said = "remark" if is_remark(r) else r["verdict"]
        meant = next((v for v, cases in shall.items() if r["id"] in cases), "pass")
        if said != meant:
            yield f"{r['id']}: {said} instead of {meant}: {r.get('reason') or r['happened']}"
    for missing in set().union(*shall.values()) - {r["id"] for r in results}:
        yield f"{missing}: not played"


wanted = {entry: shall for entry, shall in entries().items() if not sys.argv[1:] or entry in sys.argv[1:]}
check(wanted, "there is nothing to be tried")
wrong = 0
began = time.monotonic()
with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
    for entry, results in zip(wanted, pool.map(judge, wanted)):
        found = list(differences(results, wanted[entry]))
        wrong += len(found)
        print(f"{entry}: {'as it shall be' if not found else ''}", *found, sep="\n  ", flush=True)
print(f"{len(wanted)} programs in {time.monotonic() - began:.0f} s")
check(wrong == 0, f"{wrong} cases")
