"""A program with one defect is caught by the cases that shall catch it, and by no other.

Each program of `halfopen_broken list` goes through all cases of its kind, with the flawless
one as its peer. `broken.py server/dies-of-sigpipe ...` tries only those."""

import concurrent.futures
import os
import subprocess
import sys

from lab_helpers import check, judged, not_as_meant

BROKEN = os.environ["HALFOPEN_BROKEN"]
AT_ONCE = 4  # most of the time is waiting
# Whether a client that leaves in the middle of a reply says so with a FIN or an RST depends on how much
# of the reply has arrived, and so on who was faster: these cases may catch these defects.
BY_CHANCE = {
    "server/forgets-reset-connections": {"exit/3", "sigpipe/2"},
    "server/ends-with-a-reset-connection": {"exit/3", "sigpipe/2"},
}


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
    return judged(
        f"exec {BROKEN} server {defect['server']} --port 7",
        f"exec {BROKEN} client {defect['client']} server 7",
        "--subject", whose, "--limit", 12, "--clock", "real",
    )


def deviations(entry, results, meant):
    by_chance = BY_CHANCE.get(entry, ())
    return list(not_as_meant([r for r in results if r["id"] not in by_chance], meant))


chosen = {entry: meant for entry, meant in entries().items() if not sys.argv[1:] or entry in sys.argv[1:]}
check(chosen, "there is no such program")
wrong = 0
with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
    judged_once = dict(zip(chosen, pool.map(judge, chosen)))
for entry, meant in chosen.items():
    found = deviations(entry, judged_once[entry], meant)
    if found:  # a busy machine can upset a case: once more, alone; what was found first is shown
        print(f"{entry}, beside others:", *found, sep="\n  ", flush=True)
        found = deviations(entry, judge(entry), meant)
    wrong += len(found)
    print(f"{entry}: {'' if found else 'as it shall be'}", *found, sep="\n  ", flush=True)
check(wrong == 0, f"{wrong} cases of {len(chosen)} programs")
