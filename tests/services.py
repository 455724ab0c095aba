"""A service with one defect is caught by the look that shall catch it, and one that is right by none.

services.py quick            the right one and some defects, in a case or two each
services.py telling [NAME]   every defect, or those, in the case that tells most of it
services.py all [NAME]       ... in every case, and the right ones too: nothing else is found
services.py without_fault    no case proves an outage that did not happen: each says "not proved", and gives no verdict
services.py torture          one that is right, and one that is not, lose the store again while they reconnect
services.py loaded N         the right service N times in every case, with two busy loops a processor beside it

The services are in tests/services/: service.py and worker.py with their defects, and store.py, which they need.
"""

import concurrent.futures
import json
import os
import sys

from lab_helpers import busy_loops, check, halfopen
from planted import settings

LIMIT = 6  # s; a service that is right waits for a quarter of it

# The case that tells most of it, the look that catches it there, and others that may find the same elsewhere.
SERVICES = {
    "WaitsWithoutLimit": ("outage/10", "during", ""),
    "KeepaliveAtDefaults": ("outage/10", "during", ""),
    "RefusesLate": ("outage/10", "during", ""),
    "HandsOutTheDead": ("outage/21", "after", ""),
    "MixesUpReplies": ("outage/10", "during", "after"),
    "ConnectsWithoutPause": ("outage/12", "storm", "other"),
    "NeverReconnects": ("outage/1", "after", ""),
    "GivesUp": ("outage/12", "after", ""),
    "PausesWithoutCap": ("outage/12", "after", ""),
    "LosesItsSlots": ("outage/12", "after", "during"),
    "AlwaysHealthy": ("outage/12", "health", ""),
    "HealthHangs": None,  # a health endpoint that does not answer says no
    "OneLock": ("outage/10", "other", "during"),
    "OneThread": ("outage/10", "other", "during"),
    "SendsAgain": ("outage/10", "once", "during"),
    "TriesTenTimes": ("outage/12", "during", "once"),
    "AnswersADefault": ("outage/1", "during", ""),
    "TakesHalfAReply": ("outage/5", "during", ""),
    "LeaksSockets": ("outage/19", "leftovers", ""),
    "LeaksThreads": ("outage/19", "leftovers", ""),
    "ResolvesOnce": ("outage/16", "after", ""),
    "NeedsTheStoreAtStart": ("outage/20", "alive", "after other"),
    "DiesOfReset": ("outage/14", "alive", "after other during"),
    "DiesOfRefusal": ("outage/1", "alive", "after other during"),
    "DiesOfUnreachable": ("outage/9", "alive", "after other during"),
    "BurnsTheProcessor": ("outage/12", "storm", "other"),
}
WORKERS = {
    "Drops": ("outage/5", "during", "after"),
    "WaitsWithoutLimit": ("outage/16", "after", ""),
    "DiesOfAnyFailure": ("outage/1", "alive", "after"),
}
QUICK = ["AnswersADefault", "DiesOfRefusal", "TakesHalfAReply", "DiesOfReset", "HandsOutTheDead"]
QUICK_OF_THE_RIGHT = ["outage/1", "outage/2", "outage/15", "outage/17"]


def judged(program, name, cases, *options, before=""):
    file = settings(program, name, before)
    written = file.with_name("results.json")
    ran = halfopen("test", "--settings", file, "--clock", "real", "--limit", LIMIT, "--json", written,
                   *(["--case", *cases] if cases else []), *options, timeout=2400)
    check(written.exists(), f"{program} {name}: {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return json.loads(written.read_text())["pairs"][0]["cases"]


def wrong_with(program, name, cases):
    """A line for each case in which it was not found what shall be, or what shall not."""
    telling, caught_by, also = ({"service": SERVICES, "worker": WORKERS}[program].get(name) or ("", "", ""))
    for r in judged(program, name, cases):
        found = {l["look"] for l in r["looks"] if l["verdict"] in ("fail", "warn")}
        case = r["id"].split("@")[0]
        if case == telling and caught_by not in found:
            yield f"{r['id']}: {r['verdict']}, not by '{caught_by}': {r['reason'] or r['happened']}"
        for look in found - {caught_by, *also.split()} if r["verdict"] in ("fail", "warn") else ():
            yield f"{r['id']}: {r['verdict']} by '{look}': {r['happened']}"
        # A busy machine is an excuse; a fault that was not proved, or that could not be done, is none.
        if r["verdict"] == "inconclusive" and r["obstacle"] not in ("unconfirmed", "too busy"):
            yield f"{r['id']}: inconclusive: {r['reason']}"


def all_of(names, cases_of):
    """Three at once, for most of the time is waiting."""
    wanted = [(program, name) for program, of in (("service", SERVICES), ("worker", WORKERS)) for name in of]
    if names:
        wanted = [entry for entry in wanted if entry[1] in names]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        yield from zip(wanted, pool.map(lambda entry: [*wrong_with(*entry, cases_of(*entry))], wanted))


def telling(program, name):
    entry = {"service": SERVICES, "worker": WORKERS}[program][name]
    return [entry[0]] if entry else ["outage/6", "outage/10"]


def say(results):
    wrong = 0
    for (program, name), lines in results:
        wrong += len(lines)
        print(f"{program} {name}: {'' if lines else 'as it shall be'}", *lines, sep="\n  ", flush=True)
    check(wrong == 0, f"{wrong} cases")


def right(cases):
    return [((program, name), [*wrong_with(program, name, cases)])
            for program, name in (("service", "Right"), ("worker", "Worker"))]


def slow_start():
    """What the report says of the length of an outage is measured: the store needs two seconds more."""
    [r] = judged("service", "Right", ["outage/3"], before="sleep 2; ")
    words = [l["words"] for l in r["looks"] if l["look"] == "after"]
    check(r["back_after_ms"] >= 7000 and "away for" in words[0] and "away for 5" not in words[0],
          f"back after {r['back_after_ms']} ms: {words}")


def torture():
    for r in judged("service", "Right", [], "--torture", "--sample", "6", "--seed", "1"):
        # What is said again after a loss is not always said in as many packets.
        check(r["verdict"] in ("pass", "not applicable"), f"{r['id']}: {r['verdict']}: {r['reason'] or r['happened']}")
    [r] = judged("service", "DiesOfReset", [], "--replay", "reset-again@4")
    check(r["verdict"] == "fail" and r["id"] == "torture/reset-again@4@app-store", f"{r['id']}: {r['verdict']}")
    check(any(l["look"] == "alive" and l["verdict"] == "fail" for l in r["looks"]), f"{r['looks']}")
    [r] = judged("service", "DiesOfReset", [], "--replay", "reset-again@4@app-store", "--without-fault")
    check(r["verdict"] == "inconclusive", f"without its fault: {r['verdict']}: {r['happened']}")


def without_fault():
    file = settings("service", "Right")
    listed = halfopen("test", "--settings", file, "--dry-run").stdout
    catalogue = {word.split("@")[0] for line in listed.splitlines() for word in line.split()[:1] if word.startswith("outage/")}
    played = judged("service", "Right", [], "--without-fault", "--jobs", "12")
    check(len(catalogue) >= 21 and catalogue == {r["id"].split("@")[0] for r in played},
          f"{sorted(catalogue)} are listed, {sorted(r['id'] for r in played)} were played")
    wrong = [f"{r['id']}: {r['verdict']}: {r['reason'] or r['happened']}" for r in played
             if r["verdict"] != "inconclusive" or not r["reason"].startswith("not proved:")]
    check(not wrong, "\n".join(wrong))


what, *rest = sys.argv[1:] or ["quick"]
if what == "quick":
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        those = beside.submit(lambda: (slow_start(), right(QUICK_OF_THE_RIGHT))[1])
        say(all_of(QUICK, telling))
        say(those.result())
elif what == "without_fault":
    without_fault()
elif what == "torture":
    torture()
elif what == "telling":
    say(all_of(rest, telling))
elif what == "all":
    if not rest:
        say(right([]))
    say(all_of(rest, lambda *_: []))
else:
    with busy_loops(2 * os.cpu_count()):
        for _ in range(int(rest[0])):
            say([(("service", "Right"), [*wrong_with("service", "Right", [])])])
