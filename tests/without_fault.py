"""No case proves what did not happen: played with its fault left out, each says "not proved", and no verdict."""

import json

from lab_helpers import HALFOPEN, NEEDS_A_SHARED_PORT, OF_TLS, check, halfopen, temporary_folder

results = temporary_folder() / "results.json"
PAIR = (
    "--server", f"exec {HALFOPEN} serve echo --listen 0.0.0.0",
    "--client", f"(echo one; sleep 0.8; echo two) | {HALFOPEN} call echo server",
)
PLACES = [
    f"{loss}-{lost}@{place}"
    for loss in ("kill", "reset", "crash", "reboot", "cut")
    for lost, place in (("server", "5"), ("client", "5"), ("server", "b2"))
]


def play(*options):
    ran = halfopen("test", *PAIR, "--clock", "real", "--limit", 3, "--grace", 3, "--without-fault", "--jobs", 40, "--json",
                   results, *options)
    check(ran.returncode == 4, f"{options}: {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return {c["id"]: c for c in json.loads(results.read_text())["pairs"][0]["cases"]}


catalogue = {line.split()[0] for line in halfopen("test", "--dry-run").stdout.splitlines()}
played = play()
check(len(catalogue) >= 60 and catalogue <= set(played), f"not played: {sorted(catalogue - set(played))}")
check("exit/6@1" in played, "cases that fall on a request fall on the first one too")
places = play("--replay", *PLACES)
check(set(places) == {f"torture/{place}" for place in PLACES}, f"{sorted(places)}")
wrong = [
    f"{name}: {case['verdict']}: {case['reason'] or case['happened']}"
    for name, case in (played | places).items()
    # They do not speak TLS (real_pair.py), and the server does not share its port (replaced.py).
    if name.split("@")[0] not in OF_TLS | NEEDS_A_SHARED_PORT
    and (case["verdict"] != "inconclusive" or not case["reason"].startswith("not proved:"))
]
check(not wrong, "\n".join(wrong))
