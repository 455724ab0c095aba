# Purpose: a client that was written from docs/wire-format.md alone gets its sums from the built-in
# server in both formats, and the page's examples are the files of docs/vectors.
import pathlib
import re
import signal
import subprocess
import sys

from lab_helpers import HALFOPEN, check

root = pathlib.Path(__file__).parent.parent
client = root / "examples/sum_client.py"
asked = {("1", "2"): "3", ("-22", "-77"): "-99", ("9223372036854775807", "1"): "error overflow",
         ("-9223372036854775808", "9223372036854775807"): "-1"}

for form in "text", "binary":
    server = subprocess.Popen([HALFOPEN, "serve", "sum", "--format", form, "--port", "0"],
                              stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().rpartition(":")[2].strip()
        for (a, b), sum_is in asked.items():
            ran = subprocess.run([sys.executable, client, form, "127.0.0.1", port, a, b],
                                 capture_output=True, text=True, timeout=20)
            check((ran.returncode, ran.stdout) == (0, sum_is + "\n"), f"{form}: {a} + {b}: {ran}")
        server.send_signal(signal.SIGTERM)
        check(server.wait(timeout=20) == 0, f"{form}: the server ends well")
    finally:
        server.kill()

lines = [line for line in client.read_text().splitlines() if line.strip() and not line.startswith("#")]
check(len(lines) <= 20, f"twenty lines: {len(lines)}")

page = (root / "docs/wire-format.md").read_text()
shown = {bytes.fromhex(match) for match in re.findall(r"^    (?:->|<-) ((?:[0-9A-F]{2} {1,2})*[0-9A-F]{2})\b", page, re.M)}
kept = {path.read_bytes() for path in (root / "docs/vectors").iterdir()}
check(len(kept) == 12 and shown == kept, f"page and files differ: {shown ^ kept}")
