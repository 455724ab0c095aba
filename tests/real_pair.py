"""Where a recording cannot be played back, the real peer plays: a pair that speaks TLS goes through the catalogue.

The client that takes a FIN for the end of a text is caught by the cases of TLS, the right one is not; played with
their fault left out they say nothing. What the cable did to a connection is all that is odd in a capture of it."""

import json
import pathlib
import shutil
import subprocess
import sys

from lab_helpers import check, halfopen, skip, temporary_folder, tshark

if shutil.which("openssl") is None:
    skip("openssl is not installed")
HERE = pathlib.Path(__file__).parent / "tls_pair"
folder = temporary_folder()
made = subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
     "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=server",
     "-addext", "subjectAltName=DNS:server"], capture_output=True, text=True)
check(made.returncode == 0, made.stderr)


def judge(how, *options):
    """{"exit/6": {...}} of that client and the server."""
    report = folder / "report.json"
    ran = halfopen(
        "test", "--server", f"exec {sys.executable} {HERE}/server.py {folder}",
        "--client", f"exec {sys.executable} {HERE}/client.py {how} {folder} server",
        "--limit", 12, "--clock", "real", "--json", report, *options)
    check(ran.returncode in (0, 1, 4), f"{how} {options}: {ran.returncode}\n{ran.stdout}{ran.stderr}")
    pair = json.loads(report.read_text())["pairs"][0]
    check(any("TLS 1.3 to server" in remark for remark in pair["remarks"]), pair["remarks"])
    return {c["id"]: c for c in pair["cases"]}


def told(cases):
    return {name: (c["verdict"], c["happened"] or c["reason"]) for name, c in cases.items()}


TRUNCATED = ("exit/9", "exit/10")
CLIENT = ("exit/5", "exit/6", "exit/7", "exit/8", *TRUNCATED, "crash/7", "crash/8", "reboot/6", "idle/1", "idle/2",
          "format/7", "abort/6")
SERVER = ("exit/1", "exit/2", "exit/3", "crash/2", "crash/3", "reboot/1", "reboot/2", "format/1", "format/4",
          "shutdown/3", "overload/3")

right = judge("right", "--case", *CLIENT, *SERVER, "--evidence", folder / "evidence")
wrong = {name: told for name, told in told(right).items()
         if told[0] != "pass" and name in CLIENT or told[0] == "inconclusive"}
check(not wrong, f"the right client: {wrong}")
players = {name: c["peer"] for name, c in right.items() if c["peer"] != "program" and c["verdict"] != "not applicable"}
check(not players, f"who played: {players}")

broken = judge("fin-is-enough", "--case", *TRUNCATED)
for name in TRUNCATED:
    check(broken[name]["outcome"] == "false success", told(broken))

for name, case in judge("right", "--case", *CLIENT, *SERVER, "--without-fault").items():
    check(case["verdict"] == "not applicable" and "@" in name or case["verdict"] == "inconclusive" and case["reason"].startswith("not proved:"), f"{name}: {told({name: case})}")



def of_frames(capture, chosen, *names):
    """The fields of those names, as numbers, of each frame chosen."""
    fields = tshark(capture, "-Y", f"tcp.port == 4433 && ({chosen})", "-T", "fields", "-o", "tcp.check_checksum:TRUE",
                    *(part for name in names for part in ("-e", name)))
    return [[int(field or "0", 0) for field in line.split("\t")] for line in fields]


def knew_better(repeat, frames):
    """Whether the kernel that sent this segment again had been told before that it had arrived. Where it had not, its
    timer was early: a tail loss probe waits for some milliseconds, and a cable without a processor needs as many.
    What a kernel sends has an identification of its own (RFC 6864); a frame that the cable gave twice has not."""
    number, identification, stream, port, sequence, length, flags, _, _, heard = repeat
    end = sequence + length + (flags & 1)  # a FIN counts as a byte
    before = [frame for frame in frames if frame[0] < number and frame[2] == stream]
    if any(frame[1] == identification and frame[3] == port for frame in before):
        return True
    acknowledged = [stamp for _, _, _, sender, _, _, _, ack, stamp, _ in before
                    if sender != port and (ack - end) % 2**32 < 2**31]
    return any(heard > stamp for stamp in acknowledged)


# What got through, and nothing else, as the judged client's host saw it.
for name in ("exit/7", "exit/8", "crash/8"):
    capture = folder / "evidence" / name.replace("/", "-") / "packets.pcapng"
    lost = tshark(capture, "-Y", "frame.comment matches \"lost\"", "-T", "fields", "-e", "frame.number")
    seen = folder / "seen.pcapng"
    subprocess.run(["editcap", "-F", "pcapng", capture, seen, *lost], check=True)
    odd = of_frames(seen, "tcp.analysis.out_of_order || tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment || "
                    "tcp.checksum.status == 0", "frame.number")
    check(not odd, f"{name}: frames {odd}")
    said = ("frame.number", "ip.id", "tcp.stream", "tcp.srcport", "tcp.seq_raw", "tcp.len", "tcp.flags", "tcp.ack_raw",
            "tcp.options.timestamp.tsval", "tcp.options.timestamp.tsecr")
    frames = of_frames(seen, "tcp", *said)
    repeats = of_frames(seen, "tcp.analysis.retransmission", *said)
    check(not (wrong := [r for r in repeats if knew_better(r, frames)]), f"{name}: sent again: {wrong}")
print(f"{len(right)} cases on the real pair")
