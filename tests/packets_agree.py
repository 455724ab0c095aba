# Purpose: tshark, which shares no code with the lab, sees in the captures what the
# lab says it did. Arguments: the folder that whole_lab.py filled, and the IP version.
import pathlib
import sys

from lab_helpers import check, packets

folder, ip = pathlib.Path(sys.argv[1], "evidence"), sys.argv[2]
ICMP = ("icmp.type", "icmp.code") if ip == "4" else ("icmpv6.type", "icmpv6.code")


class Packet:
    def __init__(self, fields):
        self.sender, flags, length, self.repeated, self.stream, self.comment, self.type, self.code = fields
        self.tcp = flags != "" and self.type == ""
        self.bits = int(flags.split(";")[0], 16) if self.tcp else 0
        self.data = self.tcp and int(length.split(";")[0]) > 0
        self.flags = "".join(name for bit, name in ((2, "S"), (1, "F"), (4, "R"), (16, "A")) if self.bits & bit)


def capture(name):
    fields = ("frame.interface_name", "tcp.flags", "tcp.len", "tcp.analysis.retransmission", "tcp.stream")
    return [Packet(p) for p in packets(folder / f"{name}.pcapng", *fields, "frame.comment", *ICMP)]


def first(seen, wanted, start=0):
    return next((i for i in range(start, len(seen)) if wanted(seen[i])), len(seen))


def commented(words):
    return lambda p: words in p.comment


def check_order(name, *steps):
    """Each step is met by a packet after the one that met the step before."""
    seen, at = capture(name), -1
    for number, step in enumerate(steps, 1):
        at = first(seen, step, at + 1)
        check(at < len(seen), f"{name}: step {number} is not in the packets")
    return seen


def from_server(flags):
    return lambda p: p.sender == "server" and p.tcp and p.flags == flags


data_from_client = lambda p: p.sender == "client" and p.data  # noqa: E731

check_order("exit-fin-first.naive", from_server("FA"), data_from_client, from_server("R"))

seen = check_order("exit-unread-data.naive", data_from_client, from_server("RA"))
check(not any("F" in p.flags for p in seen if p.sender == "server"), "exit-unread-data: a FIN from the server")

for pair in "naive", "robust":
    seen = capture(f"crash-in-flight.{pair}")
    crash = first(seen, commented("server host crashes"))
    check(sum(p.repeated != "" for p in seen) >= 3, f"crash-in-flight.{pair}: fewer than 3 retransmissions")
    check(all(p.sender == "client" for p in seen[crash + 1 :]) and crash < len(seen), "the dead host speaks")

for says, code in ("host", {"4": "1", "6": "3"}), ("net", {"4": "0", "6": "0"}):
    for phase in "in-flight", "connecting":
        seen = capture(f"crash-{phase}-{says}.naive")
        answers = {(p.sender, p.type, p.code) for p in seen if not p.tcp}
        wanted = {("router", {"4": "3", "6": "1"}[ip], code[ip])}
        check(answers == wanted, f"crash-{phase}-{says}: the router said {answers}")

seen = check_order("reboot-writing.naive", commented("server host is back"), data_from_client, from_server("R"))
check(not any("F" in p.flags for p in seen), "reboot-writing: a FIN")

for flavour in "linux", "posix", "svr4", "berkeley":
    seen = capture(f"abort-{flavour}.naive")
    rst = first(seen, lambda p: p.sender == "client" and "R" in p.flags)
    check(rst < len(seen), f"abort-{flavour}: no RST")
    opening = [(p.sender, p.flags) for p in seen[: rst + 1] if p.stream == seen[rst].stream]
    wanted = [("client", "S"), ("server", "SA"), ("client", "A"), ("client", "RA")]
    check(opening == wanted, f"abort-{flavour}: {opening}")
    accept = first(seen, lambda p: p.comment.startswith("accept was called"), rst)
    check(accept < len(seen), f"abort-{flavour}: accept was not called after the RST")
