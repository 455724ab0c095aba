"""A program with one defect is caught by the cases that shall catch it, and by no other.

Each program of `halfopen_broken list` goes through all cases of its kind, with the flawless
one as its peer. `broken.py server/dies-of-sigpipe ...` tries only those; with `--caught` before them each goes
only through the cases that shall catch it."""

import concurrent.futures
import os
import re
import subprocess
import sys

from lab_helpers import check, halfopen, judged, not_as_meant

BROKEN = os.environ["HALFOPEN_BROKEN"]
AT_ONCE = 4  # most of the time is waiting
HAS_KERNEL = halfopen("clock", "status").returncode == 0
CAUGHT = "--caught" in sys.argv
sys.argv = [word for word in sys.argv if word != "--caught"]
# How the judge calls what it caught.
WORDS = {
    "client/waits-after-end-of-file": "hangs",
    "client/spins-at-end-of-file": "spins",
    "client/reconnects-for-ever": "tries again without end",
    "client/end-of-file-ends-the-reply": "false success",
    "client/dies-of-sigpipe": "killed by SIGPIPE",
    "server/spins-at-end-of-file": "without burning the processor|the next client",  # or it is out of descriptors
    "server/dies-of-sigpipe": "killed by SIGPIPE",
    "server/one-client-at-a-time": "the next client",
}


# The judge does not ask of these what cannot be seen on them.
NOT_APPLICABLE = {"server/one-client-at-a-time": {"sigpipe/2", "overload/1"}}


def entries():
    """{"server/none": {"fail": {...}, "warn": {...}, ...}}: what shall be found."""
    listed = subprocess.run([BROKEN, "list"], capture_output=True, text=True, check=True).stdout
    found = {}
    for whose, name, _, *cases in (line.split("\t") for line in listed.splitlines()):
        found[f"{whose}/{name}"] = dict(zip(("fail", "warn", "pass"), (set(c.split()) for c in cases)))
    for entry, cases in NOT_APPLICABLE.items():
        found[entry]["not applicable"] = cases
    return found


def catching(meant):
    return sorted(meant["fail"] | meant["warn"])


def judge(entry):
    whose, name = entry.split("/")
    only = ["--case", *catching(chosen[entry])] if CAUGHT else []
    defect = {"server": "none", "client": "none"} | {whose: name}
    return judged(
        f"exec {BROKEN} server {defect['server']} --port 7",
        f"exec {BROKEN} client {defect['client']} server 7",
        "--subject", whose, "--limit", 12, *only,
    )


def otherwise_called(entry, results):
    """Where a client has tried again but twice when the limit comes, only who watches on knows that it goes on."""
    if entry == "client/reconnects-for-ever" and not HAS_KERNEL:
        return
    for r in results:
        if r["verdict"] == "fail" and not re.search(words := WORDS.get(entry, ""), r["happened"]):
            yield f"{r['id']}: not called '{words}': {r['happened']}"


chosen = {entry: meant for entry, meant in entries().items() if not sys.argv[1:] or entry in sys.argv[1:]}
if CAUGHT:  # what none shall catch is flawless; exit/7@1 is played wherever exit/7 is
    chosen = {entry: {kind: {c for c in cases if c.split("@")[0] in catching(meant)} for kind, cases in meant.items()}
              for entry, meant in chosen.items() if catching(meant)}
check(chosen, "there is no such program")
wrong = 0
with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
    for (entry, meant), results in zip(chosen.items(), pool.map(judge, chosen)):
        found = [*not_as_meant(results, meant), *otherwise_called(entry, results)]
        wrong += len(found)
        print(f"{entry}: {'' if found else 'as it shall be'}", *found, sep="\n  ", flush=True)
check(wrong == 0, f"{wrong} cases of {len(chosen)} programs")
