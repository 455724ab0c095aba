# Purpose: autopsy, which is given nothing but the capture, says of every connection that the
# lab judged what the lab itself says: the ending and who caused it, and what was done is
# among the endings that it allows. Argument: the folder that whole_lab.py filled.
import json
import pathlib
import re
import subprocess
import sys

from lab_helpers import HALFOPEN, check

folder = pathlib.Path(sys.argv[1])
results = json.loads((folder / "results.json").read_text())["results"]
# Only whoever is told to stop knows of it: the packets show an orderly end (see agreement.cpp).
SAID_FOR = {"shut_down": {"completed"}}

compared = truths = 0
wrong = []
confidences = {}
for r in results:
    name = f"{r['situation']}/{r['variant']} {r['pair']}"
    capture = folder / "evidence" / pathlib.Path(r["evidence"]).name
    if not r["story"]:  # a naive program's connection that nobody judged
        run = subprocess.run([HALFOPEN, "autopsy", capture], capture_output=True, text=True)
        check(run.returncode == 0 and "connection" in run.stdout, f"{name}: exit {run.returncode}: {run.stderr}")
        continue
    opener = re.search(r"\((.+)\) -> \S+ \((.+)\):", r["story"][0])
    ended = next(line for line in r["story"] if line.startswith(("  ended: ", "  not ended")))
    wanted = re.match(r"  ended: (\w+), by (\w+)", ended)
    owed = re.search(r"owed (\d+) bytes", " ".join(r["story"]))
    command = [HALFOPEN, "autopsy", capture, "--json"] + (["--owed", owed.group(1)] if owed else [])
    run = subprocess.run(command, capture_output=True, text=True)
    check(run.returncode == 0, f"{name}: exit {run.returncode}: {run.stderr}")

    def text(end):
        address = end["address"]
        return f"[{address}]:{end['port']}" if ":" in address else f"{address}:{end['port']}"

    all_of_it = [json.loads(line) for line in run.stdout.splitlines()]
    ours = [c for c in all_of_it if (text(c["opener"]), text(c["responder"])) == opener.groups()]
    check(ours, f"{name}: no connection {opener.groups()}")
    c = ours[0]
    by = {"opener": "client", "responder": "server"}.get(c["probably_by"], c["probably_by"])
    check(c["by"] in ("unknown", c["probably_by"]), f"{name}: {c['by']} and {c['probably_by']}")
    said = (c["ending"], by) if c["ended"] else ("open", "unknown")
    # It does not know that the lab's capture holds every packet, so it may be less sure.
    less_sure = c["confidence"] != "certain" and wanted and wanted.group(1) in c["also_possible"]
    if not wanted or (said != wanted.groups() and not less_sure):
        wrong.append(f"{name}: the lab says {ended}, autopsy {said}: {c['why']}")
    compared += 1
    # How sure it was of its first word, and whether that was what was done.
    if c["ended"] and r["endings"]:
        done = set(r["endings"]["done"].split(", "))
        done = done.union(*(SAID_FOR.get(d, set()) for d in done))
        confidences.setdefault(c["confidence"], []).append(c["ending"] in done)
    if r["endings"]:
        allowed = {c["ending"], *c["also_possible"]}
        for done in r["endings"]["done"].split(", "):
            if not allowed & ({done} | SAID_FOR.get(done, set())):
                wrong.append(f"{name}: done {done}, autopsy allows {allowed}")
            truths += 1

# The weakest word, where the truth is known: a client connects to a host that has crashed, its SYN is repeated
# once, and the capture goes on with others for long enough (two files are read as one).
def stories(*captures):
    run = subprocess.run([HALFOPEN, "autopsy", "--json", *captures], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


dead_host = folder / "evidence" / "crash-connecting.naive.pcapng"
lasts = {p: max(c["last"]["time"] for c in stories(p)) for p in (folder / "evidence").glob("*.pcapng")}
latest = max(lasts, key=lasts.get)
[unanswered] = [c for c in stories(dead_host, latest) if any(m["what"] == "never_answered" for m in c["manners"])]
check(
    (unanswered["ending"], unanswered["confidence"]) == ("peer_vanished", "possible"),
    f"with {latest.name}: {unanswered}",
)
check(unanswered["also_possible"], unanswered)

check(not wrong, "\n".join(wrong))
check(all(confidences["certain"]), f"certain and wrong: {confidences}")
check(any(confidences["likely"]), f"likely and never right: {confidences}")
check(compared >= 47 and truths >= 29, f"only {compared} stories and {truths} truths were there to compare")
print(f"{compared} stories and {truths} truths agree")
