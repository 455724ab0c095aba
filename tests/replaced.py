"""shutdown/7: who closes an idle connection at once loses the request that is on its way; who waits, or says so, does
not. With the recording and with the real client; without its fault it says nothing."""

import pathlib
import re
import sys

from lab_helpers import check, judged

SERVER = pathlib.Path(__file__).parent / "replaced/server.py"
LOST = r"on its way in packet (\d+) when the server closed the connection in packet (\d+), .* by RST in packet (\d+)"


def play(how, *options, client=f"exec {sys.executable} {SERVER.parent}/client.py server"):
    (case,) = judged(f"exec {sys.executable} {SERVER} {how}", client, "--case", "shutdown/7", "--clock", "real", *options)
    return case


def told(case):
    return f"{case['verdict']}: {case['happened'] or case['reason']}"


for peer in ("recording", "program"):
    for how in ("right", "says-so"):
        check((case := play(how, "--peer", peer))["verdict"] == "pass", f"{how}, {peer}: {told(case)}")
        check(case["peer"] == peer, f"played by {case['peer']}")
    case = play("closes-idle", "--peer", peer)
    lost = re.search(LOST, case["happened"])
    check(case["verdict"] == "fail" and lost, f"{peer}: {told(case)}")
    request, end, reset = map(int, lost.groups())
    check(request < end < reset, told(case))
    flags = {packet["number"]: packet for packet in case["packets"]}
    check(flags[request]["length"] > 0 and flags[request]["from"] == "client" and "FIN" in flags[end]["flags"] and
          "RST" in flags[reset]["flags"], f"{flags[request]} {flags[end]} {flags[reset]}")
    check((case := play("mute", "--peer", peer))["verdict"] == "fail" and "never answered" in case["happened"], told(case))

case = play("right", "--without-fault")
check(case["verdict"] == "inconclusive" and case["reason"].startswith("not proved:"), told(case))
case = play("alone")
check(case["verdict"] == "not applicable" and "SO_REUSEPORT" in case["reason"], told(case))
once = play("right", client=f"exec {sys.executable} {SERVER.parent}/client.py server once")
check(once["verdict"] == "not applicable" and "asks once" in once["reason"], told(once))
