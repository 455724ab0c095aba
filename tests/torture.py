"""The peer is lost at every packet and at every byte of the reply, and the report says where the outcome changes."""

import json
import re

from lab_helpers import HALFOPEN, check, halfopen, temporary_folder

folder = temporary_folder()
PAIR = (
    "--server", f"exec {HALFOPEN} serve echo --pair naive --listen 0.0.0.0",
    "--client", f"echo hello | {HALFOPEN} call echo --pair naive server",
    "--clock", "real", "--limit", "4",
)


def torture(*options):
    file = folder / "results.json"
    ran = halfopen("test", *PAIR, "--json", file, *options)
    check(ran.returncode in (0, 1), f"{options}: {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return {c["id"].removeprefix("torture/"): c for c in json.loads(file.read_text())["pairs"][0]["cases"]}, ran.stdout


all_of_it, text = torture("--torture=bytes", "--subject", "client")
packets = [name for name in all_of_it if "@b" not in name]
check(len(packets) % 5 == 0 and len(packets) >= 5 * 8, f"five losses at each packet: {len(packets)}")
check(len(all_of_it) - len(packets) == 5 * 7, "five losses at each byte of hello and a newline, the first and the last too")
for loss, wanted in {
    "kill-server@b0": "pass",  # nothing came, and nobody takes that for an answer
    **{f"kill-server@b{n}": "fail" for n in range(1, 6)},  # the naive client prints a part as if it were the whole
    "kill-server@b6": "pass",
    **{f"cut-server@b{n}": "fail" for n in range(6)},  # it waits for ever
    "cut-server@b6": "pass",
    "crash-server@1": "fail",  # the kernel tries to connect for two minutes
    "kill-server@1": "pass",
    "reset-server@1": "not applicable",
}.items():
    check(all_of_it[loss]["verdict"] == wanted, f"{loss}: {all_of_it[loss]['verdict']} instead of {wanted}")
    proofs = [c for c in all_of_it[loss]["checks"] if c["is_proof"]]
    check(wanted == "not applicable" or (proofs and all(c["holds"] for c in proofs)), f"{loss}: {proofs}")
check(re.search(r"bytes 1-5 +fail", text), f"places with one outcome are one line:\n{text}")
check("--replay kill-server@b1" in text, "the first of them can be repeated")

again, _ = torture("--replay", "kill-server@b3")
check(list(again) == ["kill-server@b3"] and again["kill-server@b3"]["verdict"] == "fail", f"{list(again)}")

some, _ = torture("--torture", "--case", "kill-*", "--sample", "5", "--seed", "7")
check(len(some) == 5 and all(name.startswith("kill-") for name in some), f"{list(some)}")
same, _ = torture("--torture", "--case", "kill-*", "--sample", "5", "--seed", "7")
check(list(same) == list(some), "the same seed, the same places")

for wrong in (["--replay", "kill@3"], ["--torture=bits"], ["--torture", "--dry-run"], ["--torture", "--case", "burn-*"]):
    ran = halfopen("test", *PAIR, *wrong)
    check(ran.returncode == 2 and ran.stderr.count("\n") <= 2, f"{wrong}: {ran.returncode} {ran.stderr}")
