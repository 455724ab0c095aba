"""A correct pair is not accused because the machine is busy, or because its programs are slow to start.

Arguments: "quiet", "slow-start" or "busy", and how many times. Default options throughout."""

import collections
import os
import pathlib
import sys
import time

from lab_helpers import busy_loops, check, judged

how, times = sys.argv[1], int(sys.argv[2])
PAIR = pathlib.Path(__file__).parent / "correct_pair"
START_COSTS = {"slow-start": 0.5}.get(how, 0)
MAY_BE_INCONCLUSIVE = 0 if how == "quiet" else 3


def command(program):
    return f"exec {sys.executable} {PAIR / program}.py --start-costs {START_COSTS}"


def problems(cases):
    """Accusations, and what is inconclusive if that is too much."""
    said = collections.defaultdict(list)
    for c in cases:
        said[c["verdict"]].append(f"{c['id']}: {c['verdict']}: {c['reason'] or c['happened']}")
    unclear = said["inconclusive"]
    for line in unclear:
        print(f"  {line}")
    return said["fail"] + said["warn"] + (unclear if len(unclear) > MAY_BE_INCONCLUSIVE else [])


wrong = []
for number in range(1, times + 1):
    began = time.monotonic()
    with busy_loops(os.cpu_count() if how == "busy" else 0):
        cases = judged(command("server"), command("client"))
    counted = collections.Counter(c["verdict"] for c in cases)
    confirmed = collections.Counter(c["confirmed"] for c in cases)
    print(f"{how} {number}: {dict(counted)} in {time.monotonic() - began:.0f} s; {dict(confirmed)}", flush=True)
    wrong += [f"{how} {number}: {line}" for line in problems(cases)]
check(not wrong, "\n  ".join([f"{len(wrong)} cases", *wrong]))
