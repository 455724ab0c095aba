"""autopsy, given nothing but the capture that the judge made of a case, says how the connection ended there."""

import json
import subprocess

from lab_helpers import HALFOPEN, check, halfopen, temporary_folder

# What was done to the connection in the case, in the words of endings.
TRUTH = {
    "abort/1 abort/2 abort/3 abort/4 abort/5": "aborted_before_accept",
    "abort/6 exit/8 sigpipe/2": "peer_reset",
    # The kernel says FIN, or RST if the program left bytes unread; how many were owed no packet tells.
    "exit/1 exit/2 exit/3 exit/5 exit/6 exit/7 sigpipe/1 sigpipe/3 shutdown/6": "completed peer_closed peer_reset",
    "crash/1 crash/2 crash/3 crash/6 crash/7 crash/8 connect/2 idle/1": "peer_vanished",
    "crash/4 crash/9 connect/3": "host_unreachable",
    "crash/5 crash/10 connect/4": "net_unreachable",
    "reboot/1 reboot/2 reboot/3 reboot/4 reboot/5 reboot/6 idle/2": "peer_rebooted",
    "connect/1 reboot/7": "refused",
    "exit/4 format/1 format/2 format/3 format/4 format/6 shutdown/2 overload/4": "completed",
}
# Told of the router's message at once, the client leaves, and the case ends before its kernel gives up.
MAY_END_EARLY = {"crash/9", "crash/10"}

folder = temporary_folder()
ran = halfopen(
    "test", "--clock", "real", "--json", folder / "results.json", "--evidence", folder,
    "--server", f"exec {HALFOPEN} serve echo --listen 0.0.0.0",
    "--client", f"(echo one; sleep 1; echo two) | {HALFOPEN} call echo server",
)
check(ran.returncode == 0, f"{ran.returncode}: {ran.stdout}{ran.stderr}")
verdicts = {c["id"]: c["verdict"] for c in json.loads((folder / "results.json").read_text())["pairs"][0]["cases"]}
truth = {case: set(endings.split()) for cases, endings in TRUTH.items() for case in cases.split()}

wrong, compared = [], 0
for case, verdict in verdicts.items():
    endings = truth.get(case.split("@")[0])  # exit/6@1 is exit/6 at the first request
    if verdict != "pass" or endings is None:
        continue
    capture = folder / case.replace("/", "-") / "packets.pcapng"
    told = subprocess.run([HALFOPEN, "autopsy", capture, "--json"], capture_output=True, text=True)
    check(told.returncode == 0, f"{case}: autopsy {told.returncode}: {told.stderr}")
    connections = [json.loads(line) for line in told.stdout.splitlines()]
    said = [{c["ending"], *c["also_possible"]} for c in connections if c["ended"]]
    early = case.split("@")[0] in MAY_END_EARLY and any(c["icmp"] and not c["ended"] for c in connections)
    if not early and not any(endings & one for one in said):
        wrong.append(f"{case}: done {' or '.join(sorted(endings))}, autopsy says {said}")
    compared += 1
check(not wrong, "\n".join(wrong))
check(compared >= 50, f"only {compared} cases passed: nothing to compare")
print(f"{compared} cases: autopsy and what was done agree")
