# Purpose: halfopen autopsy accuses nobody wrongly on captures from the wild, where they are
# present (shared/cases/autopsy beside the project); each has an equal of our own in the tests of
# src/trace, which need no files.
import json
import pathlib
import subprocess

from lab_helpers import HALFOPEN, check

# What may be said first, what has to be among the other endings, manners that have to be there,
# and those that must not.
ACCUSING = {"middlebox_reset", "unread_data", "keepalive_failure", "time_wait_reuse"}
CASES = {
    "mb_windows_ipid": ("peer_reset", "opener", set(), set()),
    "mb_nmap_synscan": ("aborted_before_accept", "opener", set(), {"connect_cancelled"}),
    "mb_concatenated_copy": ("peer_reset", None, set(), set()),
    "unread_but_acked": ("peer_reset", "opener", set(), set()),
    "reset_after_acked_fin": ("completed", "opener", {"peer_reset"}, {"abortive_close"}),
    "rebooted_connect_cancelled": ("aborted_before_accept", "opener", {"deadline_passed"}, {"connect_cancelled"}),
    "rebooted_unsolicited_rst": ("peer_reset", None, set(), set()),
    "abort_challenge_ack": ("completed", "opener", set(), set()),
    "refused_three_of_one": ("refused", "responder", set(), set()),
    "reuse_concatenated_copy": ("completed", "opener", set(), set()),
    "completed_fin_never_acked": ("completed", "responder", {"peer_vanished"}, {"fin_unanswered"}),
    "vanished_one_probe": ("open", "unknown", set(), set()),
    "vanished_responder_had_closed": ("peer_closed", "responder", {"peer_vanished"}, set()),
}

root = pathlib.Path(__file__).resolve()
folder = next((p for up in root.parents if (p := up / "shared/cases/autopsy").is_dir()), None)
seen = set()
for path in sorted(folder.glob("*.pcap")) if folder else []:
    ran = subprocess.run([HALFOPEN, "autopsy", path, "--json"], capture_output=True, text=True)
    check(ran.returncode == 0, f"{path.stem}: exit {ran.returncode}: {ran.stderr}")
    connections = [json.loads(line) for line in ran.stdout.splitlines()]
    ending, by, beside, manners = CASES[path.stem]
    c = connections[0]
    said = f"{path.stem}: {json.dumps(c)}"
    check(c["ending"] == ending and beside <= set(c["also_possible"]), said)
    check(by is None or c["by"] == by, said)
    had = {m["what"] for m in c["manners"]}
    check(manners <= had, said)
    for c in connections:
        check(not ACCUSING & {m["what"] for m in c["manners"]}, f"{path.stem}: {json.dumps(c)}")
        check(c["probably_by"] != "middlebox" and c["ending"] != "peer_rebooted", f"{path.stem}: {json.dumps(c)}")
        check(c["lasted_seconds"] >= 0, f"{path.stem}: {json.dumps(c)}")
        missed = sum(c["said"][s]["bytes_missed"] for s in c["said"])
        check(missed < 1 << 27, f"{path.stem}: {missed} bytes missed")
    check(len(connections) == 1 or path.stem == "mb_windows_ipid", f"{path.stem}: {len(connections)} connections")
    seen.add(path.stem)
check(not folder or seen == set(CASES), f"of {sorted(CASES)} only {sorted(seen)} are there")
print(f"{len(seen)} captures agree" if folder else "the captures are not here")
