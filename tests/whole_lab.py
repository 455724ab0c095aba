# Purpose: the whole lab plays every variant with both pairs, all as expected, and
# says so in one plain line. Its captures and results serve other tests: arguments
# are the IP version and the folder for them.
import pathlib
import shutil
import sys

from lab_helpers import check, halfopen, results, variants

ip, folder = sys.argv[1], pathlib.Path(sys.argv[2])
shutil.rmtree(folder, ignore_errors=True)
evidence = folder / "evidence"
folder.mkdir(parents=True)

ran = halfopen("lab", "--ip", ip, "--json", folder / "results.json", "--evidence", evidence)
print(ran.stdout)
check(ran.returncode == 0, f"exit code {ran.returncode}: {ran.stderr}")
strange = [line for line in ran.stderr.splitlines() if not line.startswith("[")]
check(not strange, f"something but progress on standard error: {strange}")

wanted = {(v, pair) for v in variants() for pair in ("naive", "robust")}
check(len(wanted) == 58, f"halfopen list names 29 variants, not {len(wanted) / 2}")
check(ran.stdout.splitlines()[-2].startswith("29 of 29 agree: "), "the line below the variants")
check(ran.stdout.splitlines()[-1] == f"58 of 58 runs as expected. Evidence: {evidence}", "the last line")

played = results(folder / "results.json")
check(set(played) == wanted, f"missing or unknown: {set(played) ^ wanted}")
wrong = [f"{k}: {r['verdict']} {r['problem']}" for k, r in played.items() if r["verdict"] != "met"]
check(not wrong, "\n".join(wrong))
differ = [f"{k}: {r['endings']}" for k, r in played.items() if k[1] == "robust" and not r["endings"]["agree"]]
check(not differ, "\n".join(differ))
unproved = [k for k, r in played.items() if not any(c["kind"] == "proof" for c in r["checks"])]
check(not unproved, f"met without a proof: {unproved}")
files = {str(path) for path in evidence.iterdir()}
check(files == {r["evidence"] for r in played.values()}, "one capture a run, and nothing else")
