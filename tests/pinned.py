# Purpose: what the naive and the robust program saw, a line a variant, so that a
# change in either is noticed. Argument: the folder that whole_lab.py filled.
import re
import sys
from fnmatch import fnmatch

from lab_helpers import check, results

NEVER = "nothing in 3.5 s: it never learns"
SUM = "-22 + -77 = "
RIGHT = SUM + "-99 (text), -99 (binary)"
RESET = "peer_reset or peer_rebooted while awaiting_reply: read: ECONNRESET; retry: unknown"
GONE = "peer_vanished while idle: read: ETIMEDOUT; retry: pointless"
PINNED = {
    "abort/linux": ("serves on", "serves on"),
    "abort/posix": ("server dies: accept: ECONNABORTED", "serves on"),
    "abort/svr4": ("server dies: accept: EPROTO", "serves on"),
    "abort/berkeley": ("server blocks in accept: the client it has gets no reply", "serves on"),
    "exit/fin-first": (
        "the FIN is not noticed; after writing: server terminated prematurely (end-of-file)",
        "completed while idle: read: end-of-file; retry: pointless",
    ),
    "exit/rst-first": ("read: ECONNRESET", RESET),
    "exit/unread-data": ("read: ECONNRESET", RESET),
    "sigpipe/one-connection": ("killed by SIGPIPE", "broken_pipe while sending: write: EPIPE; retry: unknown"),
    "sigpipe/three-connections": (
        "killed by SIGPIPE",
        "server:8: broken_pipe while sending: write: EPIPE; retry: unknown",
    ),
    "crash/in-flight": (
        "read: ETIMEDOUT",
        "peer_vanished while awaiting_reply: read: ETIMEDOUT; retry: unknown",
    ),
    "crash/in-flight-host": (
        "read: EHOSTUNREACH",
        "host_unreachable while awaiting_reply: read: EHOSTUNREACH; retry: unknown",
    ),
    "crash/in-flight-net": (
        "read: ENETUNREACH",
        "net_unreachable while awaiting_reply: read: ENETUNREACH; retry: unknown",
    ),
    "crash/connecting": (
        "connect: ETIMEDOUT",
        "deadline_passed while connecting: connect: the time limit passed; retry: safe",
    ),
    "crash/connecting-host": (
        "connect: EHOSTUNREACH",
        "host_unreachable while connecting: connect: EHOSTUNREACH; retry: safe",
    ),
    "crash/connecting-net": (
        "connect: ENETUNREACH",
        "net_unreachable while connecting: connect: ENETUNREACH; retry: safe",
    ),
    "crash/idle": (NEVER, GONE),
    "crash/idle-host": (NEVER, GONE),
    "crash/idle-net": (NEVER, GONE),
    "reboot/writing": ("read: ECONNRESET", RESET),
    "reboot/idle": (NEVER, "peer_reset or peer_rebooted while idle: read: ECONNRESET; retry: pointless"),
    "reboot/awaiting-reply": ("nothing in 3.5 s: it waits for ever", RESET),
    "shutdown/reply-under-way": (
        "the reply is cut: N of 4194305 bytes; the client takes it for the whole",
        "the whole reply: 4194305 of 4194305 bytes",
    ),
    "shutdown/idle": (
        "the server dies of SIGTERM; the client does not notice",
        "completed while idle: read: end-of-file; retry: pointless",
    ),
    "shutdown/ignored": ("the server runs on until SIGKILL", "the server exits by itself"),
    "format/byte-order": (SUM + "-72057594037928034", RIGHT),
    "format/long-size": (SUM + "-22", RIGHT),
    "format/padding": (SUM + "-22", RIGHT),
    "format/one-byte-segments": (SUM + "234", RIGHT),
    "format/two-in-one": (
        "one answer to two requests: the second lies in its buffer",
        "both answered (text), both answered (binary)",
    ),
}

# What was done, and what the packets tell where that is not the same word alone.
ABORTED = "aborted_before_accept", "aborted_before_accept or peer_reset"
PIPE = "broken_pipe", "peer_closed or broken_pipe or completed"
REBOOTED = "peer_rebooted", "peer_reset or peer_rebooted"
STOPPED = "shut_down", "completed"
ENDINGS = {
    "abort/*": ABORTED,
    "exit/fin-first": ("completed",),
    "exit/*": ("peer_reset",),
    "sigpipe/*": PIPE,
    "crash/idle": ("peer_vanished",),
    "crash/idle-host": ("peer_vanished", "peer_vanished or host_unreachable"),
    "crash/idle-net": ("peer_vanished", "peer_vanished or net_unreachable"),
    "crash/*-host": ("host_unreachable",),
    "crash/*-net": ("net_unreachable",),
    "crash/*": ("peer_vanished",),
    "reboot/*": REBOOTED,
    "shutdown/*": STOPPED,
    "format/*": ("completed",),
}



def steady(words):
    """Without what differs from run to run."""
    # Which is likelier is told by how punctually the RST answered a probe: a busy machine hides it.
    words = words.replace("peer_rebooted or peer_reset", "peer_reset or peer_rebooted")
    return re.sub(r"cut: \d+ of", "cut: N of", words)


saw = {k: steady(r["saw"]) for k, r in results(f"{sys.argv[1]}/results.json").items()}
wanted = {(v, pair): words for v, both in PINNED.items() for pair, words in zip(("naive", "robust"), both)}
wrong = [f"{k}\n  was {wanted.get(k)}\n  is  {saw.get(k)}" for k in wanted | saw if wanted.get(k) != saw.get(k)]
check(not wrong, "\n".join(wrong))

for (variant, pair), r in results(f"{sys.argv[1]}/results.json").items():
    if pair == "naive":
        check(r["endings"] is None, f"{variant}: the naive pair reports no endings, but {r['endings']}")
        continue
    words = next(words for pattern, words in ENDINGS.items() if fnmatch(variant, pattern))
    told = r["endings"]["done"], r["endings"]["packets"]
    check(told == (words[0], words[-1]), f"{variant}: done and told by the packets: {told}, not {words}")
