# Purpose: tshark reads every capture without complaint, shows an interface a host,
# the hosts' names, nothing but TCP and the router's ICMP, and the comment that says
# what was done in each capture where it was. Argument: the folder that whole_lab.py filled.
import os
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from lab_helpers import check, packets

# The comment, and the captures that have it.
DONE = {
    "the client aborts its connection (SO_LINGER 0)": "abort-",
    "accept was called, and returned the connection, already reset": "abort-linux",
    "accept was called, and returned ECONNABORTED": "abort-posix",
    "accept was called, and returned EPROTO": "abort-svr4",
    "accept was called: the dead connection is dropped unseen, as a Berkeley kernel does": "abort-berkeley",
    "SIGKILL to the server process": "exit-|sigpipe-",
    "server host crashes": "crash-|reboot-",
    "from now on the router says that the server host cannot be reached": "crash-.*-host",
    "from now on the router says that the server's network cannot be reached": "crash-.*-net",
    "server host is back, with no memory of its connections": "reboot-",
    "SIGTERM to every process of the server host": "shutdown-",
    "SIGKILL to every process left on the server host": "shutdown-ignored.naive",
}


def examine(capture):
    seen = packets(capture, "frame.comment", "frame.interface_name", "_ws.col.Source", "frame.protocols", "icmpv6.type")
    comments = {c for packet in seen for c in packet[0].split(";")}
    for comment, where in DONE.items():
        belongs = re.match(where, capture.name) is not None
        check((comment in comments) == belongs, f"{capture}: '{comment}' {'is missing' if belongs else 'is there'}")
    strange = [p for p in seen if p[1] not in ("client", "server", "router") or p[1] != p[2].split(";")[0]]
    check(seen and not strange, f"{capture}: sender, interface and name differ: {strange}")
    # The hosts' programs and the router are all that speaks: no ARP, no neighbour discovery.
    others = [p for p in seen if ":tcp" not in p[3] or "arp" in p[3] or p[4] not in ("", "1")]
    check(not others, f"{capture}: {others}")


def examine_header(capture):
    about = subprocess.run(["capinfos", capture], capture_output=True, text=True).stdout
    names = [line.split("=")[1].strip() for line in about.splitlines() if line.strip().startswith("Name =")]
    check(names == ["client", "server", "router"], f"{capture}: interfaces {names}")
    check(f"halfopen lab: {capture.name.split('-')[0]}/" in about, f"{capture}: the file says what it is of")


captures = sorted(pathlib.Path(sys.argv[1], "evidence").iterdir())
check(len(captures) == 58, f"{len(captures)} captures")
with ThreadPoolExecutor(os.cpu_count()) as pool:
    list(pool.map(examine, captures))
    list(pool.map(examine_header, captures[::8]))  # one or two a situation
