"""A client with several connections: a fault falls on the one that is named, whatever the order in which they are
opened, and that there are several is no reason to say nothing."""

import os
import pathlib
import sys

from lab_helpers import HALFOPEN, OF_TLS, check, judged

SERVER = f"exec {HALFOPEN} serve echo --listen 0.0.0.0 --port 7007"
POOL = f"exec {sys.executable} {pathlib.Path(__file__).parent}/pool/client.py"
OWN_LIBRARY = f"exec {os.environ['HALFOPEN_POOL_CLIENT']} server 7007"
OF_A_CLIENT = ("abort/6", "exit/5", "exit/6", "exit/7", "exit/8", "sigpipe/3", "crash/6", "crash/7", "crash/8",
               "crash/9", "reboot/4", "reboot/5", "reboot/6", "shutdown/6", "format/7", "idle/1", "idle/2")
ON_ONE = set(OF_A_CLIENT) - {"format/7"}


def play(client, *options, cases=OF_A_CLIENT):
    return {c["id"]: c for c in judged(SERVER, client, "--case", *cases, "--limit", 8, "--clock", "real", *options)}


def told(cases):
    return "\n".join(f"{name}: {c['verdict']}: {c['happened'] or c['reason']}" for name, c in cases.items())


def all_pass(cases, what):
    # A limit of the client's own may pass while the machine is busy: then nothing is said.
    wrong = {name: c for name, c in cases.items()
             if c["verdict"] != "pass" and c["obstacle"] not in ("too busy", "unconfirmed")}
    check(not wrong, f"{what}:\n{told(wrong)}")
    print(f"{what}: {len(cases)} cases", flush=True)


def on_each(cases):
    """Each case on each connection, and nothing else."""
    plain = {name.split("@")[0] + "@" + name.split("@")[-1] for name in cases if "@c" in name}
    check(plain == {f"{case}@c{n}" for case in ON_ONE for n in range(1, 5)}, sorted(plain))


for peer in ("recording", "program"):
    own = play(f"{POOL} own server 7007", "--connection", "all", "--peer", peer)
    on_each(own)
    all_pass(own, f"work of their own, {peer}")
all_pass(play(f"{POOL} shared server 7007"), "work from one queue")
all_pass(play(OWN_LIBRARY, "--connection", "all"), "this library's client")

# A middlebox forgets one connection only: that of the thread that waits for ever hangs, whichever it is by order.
waits = play(f"{POOL} third-waits server 7007", "--connection", "all", cases=["idle/1"])
hang = [name for name, c in waits.items() if c["verdict"] != "pass"]
check(len(waits) == 4 and len(hang) == 1 and waits[hang[0]]["outcome"] == "hangs", told(waits))

no_fault = play(f"{POOL} own server 7007", "--connection", "3", "--without-fault")
wrong = {name: c for name, c in no_fault.items()
         if c["verdict"] != "inconclusive" or not c["reason"].startswith("not proved:")}
check(not wrong and not OF_TLS & set(no_fault), told(wrong))

there_is_none = play(f"{POOL} own server 7007", "--connection", "5", cases=["exit/6"])
check({c["verdict"] for c in there_is_none.values()} == {"not applicable"}, told(there_is_none))
