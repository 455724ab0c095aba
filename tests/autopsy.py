# Purpose: halfopen autopsy on the command line: its forms, filters, pipes, exit codes, and
# what it says of a file that is damaged or none.
import gzip
import json
import os
import pathlib
import signal
import struct
import subprocess
import tempfile
import time
import xml.etree.ElementTree

from lab_helpers import HALFOPEN, check

folder = pathlib.Path(tempfile.mkdtemp(prefix="halfopen-autopsy-"))


def segment(client, flags, seq, ack, payload=b"", to_server=True):
    ports = (client, 80) if to_server else (80, client)
    tcp = struct.pack("!HHIIBBHHH", *ports, seq, ack, 0x50, flags, 8000, 0, 0) + payload
    hosts = [bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])][:: 1 if to_server else -1]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + hosts[0] + hosts[1]
    return bytes(12) + b"\x08\x00" + ip + tcp


SYN, FIN, RST, ACK = 2, 1, 4, 16
frames = [
    (0.0, segment(4000, SYN, 99, 0)),
    (0.1, segment(4000, SYN | ACK, 499, 100, to_server=False)),
    (0.2, segment(4000, ACK, 100, 500)),
    (0.3, segment(4000, ACK, 100, 500, b"hello")),
    (0.4, segment(4000, RST | ACK, 500, 105, to_server=False)),
    (1.0, segment(4001, SYN, 7, 0)),
    (2.0, segment(4001, SYN, 7, 0)),
    (9.0, segment(4002, SYN, 7, 0)),
    (9.1, segment(4002, RST | ACK, 0, 8, to_server=False)),
]


def pcap(some):
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for when, frame in some:
        data += struct.pack("<IIII", 1_700_000_000 + int(when), round(when % 1 * 1e6), len(frame), len(frame)) + frame
    return data


def autopsy(*arguments, code=0, **more):
    ran = subprocess.run([HALFOPEN, "autopsy", *arguments], capture_output=True, timeout=60, **more)
    check(ran.returncode == code, f"{arguments}: exit code {ran.returncode}, not {code}: {ran.stderr}")
    return ran.stdout.decode(), ran.stderr.decode()


def lines(*arguments, **more):
    return [json.loads(line) for line in autopsy(*arguments, "--json", **more)[0].splitlines()]


whole = pcap(frames)
path = folder / "three.pcap"
path.write_bytes(whole)

out, _ = autopsy(path)
for wanted in ("9 packets", "3 connections", "peer_reset by responder", "never_answered", "refused", "10.0.0.2"):
    check(wanted in out, f"'{wanted}' is not in the table:\n{out}")
check(out.index("peer_reset") < out.index("never_answered") < out.index("refused by"), f"not worst first:\n{out}")

found = lines(path)
check({(c["connection"], c["ending"]) for c in found} == {(1, "peer_reset"), (2, "peer_vanished"), (3, "refused")}, found)
one = next(c for c in found if c["connection"] == 1)
check(one["by"] == "responder" and one["said"]["opener"]["bytes"] == 5 and one["proof"][-1] == 5, one)
check(one["could_know"]["opener"]["packet"] == 5 and one["zeek_conn_state"] == "RSTR", one)


def numbers(*arguments):
    return sorted(c["connection"] for c in lines(path, *arguments))


check(numbers("--port", "4001") == [2] and numbers("--port", "4001", "--port", "4002") == [2, 3], "--port")
check(numbers("--address", "10.0.0.0/30") == [1, 2, 3], "--address")
check(numbers("--ending", "refused") == [3] and numbers("--ending", "never_answered") == [2], "--ending")
check(numbers("--since", "+0.9", "--until", "+5") == [2], "relative times")
check(numbers("--since", "2023-11-14T22:13:28Z") == [3], "absolute times")
autopsy(path, "--address", "10.9.9.9", code=1)
for wrong in (["--ending", "murder"], ["--since", "noon"], ["--address", "10.0.0.0/99"], ["--html", "/nowhere/x"]):
    _, err = autopsy(path, *wrong, code=2)
    check(wrong[1] in err, err)

# The first screen is one window, also in a pipe; a group of equal stories is one line with a count.
crowd = []
for i in range(12):
    crowd.append((30.0 + i, segment(5000 + i, SYN, 7, 0)))
    crowd.append((30.1 + i, segment(5000 + i, RST | ACK, 0, 8, to_server=False)))
(folder / "crowd.pcap").write_bytes(pcap(frames + crowd))
out, _ = autopsy(folder / "crowd.pcap")
check(len(out.splitlines()) <= 24 and all(len(line) <= 80 for line in out.splitlines()[1:]), out)
check("13 x refused by responder to 10.0.0.2:80" in out and "1 x peer_reset by responder" in out, out)
out, _ = autopsy(path, "--top", "2")
check("the worst 2 of 3" in out and "opener -> responder" in out, out)

# Rotated captures are read as one, whatever their names; the numbers run on.
for name, some in (("b", frames[:4]), ("a", frames[4:])):
    (folder / name).write_bytes(pcap(some))
check(lines(folder / "a", folder / "b") == lines(path), "two files are one capture")
autopsy(folder / "a", "-", code=2)

# tcpdump's filters.
check([c["connection"] for c in lines(path, "--filter", "port 4002")] == [1], "--filter")
check("--filter 'port port'" in autopsy(path, "--filter", "port port", code=2)[1], "a filter that is none")

# The packets of one connection, and the story on those that prove it.
autopsy(path, "--ladder", "1", "--write", folder / "one.pcapng")
written = lines(folder / "one.pcapng")
check([c["ending"] for c in written] == ["peer_reset"] and written[0]["said"]["opener"]["bytes"] == 5, written)
check(b"#1 peer_reset: the responder sent RST in packet 5" in (folder / "one.pcapng").read_bytes(), "the comment")

slow = lines(path)[0]["slow"]
check(abs(slow["to_responder"] - 0.1) < 1e-6 and abs(slow["to_opener"] - 0.1) < 1e-6, slow)
check(slow["first_byte"] is None, slow)

out, _ = autopsy(path, "--ladder", "1")
check("5 bytes, ACK" in out and "RST+ACK" in out and "SYN  seq 0" in out and out.count("▶") == 3, out)
autopsy(path, "--ladder", "9", code=1)

autopsy(path, "--html", folder / "page.html")
page = (folder / "page.html").read_text()
check(page.count("<svg") == 3 and "http://" not in page.replace("http://www.w3.org/2000/svg", ""), "the page")
for svg in page.split("<svg")[1:]:
    xml.etree.ElementTree.fromstring("<svg" + svg.split("</svg>")[0] + "</svg>")

(folder / "three.pcap.gz").write_bytes(gzip.compress(whole))
check(len(lines(folder / "three.pcap.gz")) == 3, "gzip")
check(len(lines("-", input=whole)) == 3, "the standard input")

(folder / "cut").write_bytes(whole[:-10])
out, err = autopsy(folder / "cut", code=2)
at = len(whole) - 16 - len(frames[-1][1])
check(f"at byte {at}: " in err and "3 connections" in out and "8 packets" in out, f"{err}\n{out}")
for content in (b"", b"hello, world"):
    (folder / "none").write_bytes(content)
    check("is no capture: at byte 0" in autopsy(folder / "none", code=2)[1], "what is no capture")
check("No such file" in autopsy(folder / "absent", code=2)[1], "an absent file")
(folder / "radio").write_bytes(whole[:20] + struct.pack("<I", 195) + whole[24:])
check("link type 195 (IEEE 802.15.4)" in autopsy(folder / "radio", code=2)[1], "a link type that is not read")

# A file that grows: the story of what has ended comes while it is followed.
growing = folder / "growing"
growing.write_bytes(pcap(frames[:3]))
with subprocess.Popen([HALFOPEN, "autopsy", growing, "--follow"], stdout=subprocess.PIPE, text=True) as follower:
    time.sleep(0.5)
    with growing.open("ab") as more:
        more.write(pcap(frames[3:])[24:])
    line = follower.stdout.readline()
    check("#1" in line and "peer_reset by responder" in line, line)
    follower.send_signal(signal.SIGINT)
    rest = follower.stdout.read()
    check(follower.wait(10) == 0 and "3 connections" in rest, f"exit {follower.returncode}: {rest}")

# Whoever reads no further is no error.
read_end, write_end = os.pipe()
os.close(read_end)
with subprocess.Popen([HALFOPEN, "autopsy", path], stdout=write_end, stderr=subprocess.PIPE) as ran:
    os.close(write_end)
    check(ran.wait(10) == 0 and ran.stderr.read() == b"", "a closed pipe")
