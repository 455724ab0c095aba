"""A campaign: judgements shared out to jobs, played by two workers of which one is killed, and joined."""

import json
import os
import pathlib
import signal
import subprocess
import threading

from lab_helpers import HALFOPEN, check, halfopen, temporary_folder, wait_until

folder = temporary_folder()
for name in ("one", "two"):
    (folder / name).mkdir()
    (folder / name / "halfopen.toml").write_text(
        f'name = "{name}"\nserver = "exec {HALFOPEN} serve echo --listen 0.0.0.0"\n'
        f'client = "echo one | {HALFOPEN} call echo server"\nclock = "real"\nlimit = 12\n'
        'case = ["connect/1", "connect/2", "exit/6", "shutdown/1", "shutdown/3", "crash/7"]\n')
settings = [folder / "one/halfopen.toml", folder / "two/halfopen.toml"]
plan_file = folder / "plan.jsonl"


def plan(shards, results, *options):
    ran = halfopen("campaign", "plan", *settings, "--shards", shards, "--results", results, *options)
    check(ran.returncode == 0, ran.stderr)
    plan_file.write_text(ran.stdout)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def run(job, **how):
    return subprocess.Popen([HALFOPEN, "campaign", "run", plan_file, str(job)], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, start_new_session=True, **how)


def status():
    ran = halfopen("campaign", "status", plan_file)
    return ran.returncode, ran.stdout.strip(), ran.stderr


jobs = plan(6, folder / "first")
check([job["job"] for job in jobs] == [1, 2, 3, 4, 5, 6], jobs)
check(status()[:2] == (1, "1-6"), status())

# A worker that is killed leaves no report, and its job is missing.
killed = run(2)
wait_until(lambda: len(os.listdir(f"/proc/{killed.pid}/task")) and
           pathlib.Path(f"/proc/{killed.pid}/task/{killed.pid}/children").read_text().strip(), 30)
os.killpg(killed.pid, signal.SIGKILL)
killed.wait()
check(not pathlib.Path(jobs[1]["report"]).exists(), "a report of who was killed")

queue = iter([1, 3, 4, 6])
lock = threading.Lock()


def worker():
    while True:
        with lock:
            job = next(queue, None)
        if job is None:
            return
        one = run(job)
        _, said = one.communicate()
        check(one.returncode == 0, f"job {job}: {one.returncode}: {said}")


workers = [threading.Thread(target=worker) for _ in range(2)]
for w in workers:
    w.start()
for w in workers:
    w.join()
check(status()[:2] == (1, "2,5"), status())

merged = halfopen("report", "merge", *sorted((folder / "first").iterdir()), "--json", folder / "part.json")
check(merged.returncode == 4 and "missing shards of 3: 2" in merged.stdout, f"{merged.returncode}: {merged.stdout}")

# The engine starts all of them again: what is done is not played again, and each case is there once.
before = {path: path.stat().st_mtime_ns for path in (folder / "first").iterdir()}
for job in range(1, 7):
    check(run(job).wait() == 0, f"job {job}")
check(all(path.stat().st_mtime_ns == when for path, when in before.items()), "a job was played twice")
check(status()[:2] == (0, ""), status())
merged = halfopen("report", "merge", *sorted((folder / "first").iterdir()), "--json", folder / "all.json")
check(merged.returncode == 0 and "missing" not in merged.stdout, f"{merged.returncode}: {merged.stdout}{merged.stderr}")
pairs = json.loads((folder / "all.json").read_text())["pairs"]
for pair in pairs:
    ids = [case["id"] for case in pair["cases"]]
    check(len(ids) == len(set(ids)) and {"connect/1", "crash/7", "shutdown/3"} <= set(ids), ids)
    check(pair["shards"] == {"of": 3, "played": [1, 2, 3]}, pair["shards"])

# What the earlier run took: crash/7 and connect/2 wait for seconds, and so fall into different parts.
jobs = plan(4, folder / "second", "--costs", folder / "all.json")
check(len(jobs) == 4 and all(job["cost_ms"] > 0 for job in jobs), jobs)
for job in (1, 2):
    check(run(job).wait() == 0, f"job {job}")
first, second = ({case["id"].split("@")[0] for case in json.loads(pathlib.Path(job["report"]).read_text())["pairs"][0]["cases"]}
                 for job in jobs[:2])
check(first | second == {"connect/1", "connect/2", "exit/6", "shutdown/1", "shutdown/3", "crash/7"}, (first, second))
check(not first & second and len(first & {"connect/2", "crash/7"}) == 1, (first, second))

for words, what in ((("run", plan_file, "9"), "jobs 1 to 4"), (("run", "/nowhere", "1"), "cannot read"),
                    (("plan", folder / "none.toml"), "none.toml"), (("status", folder / "all.json"), "no job of a campaign")):
    ran = halfopen("campaign", *words)
    check(ran.returncode == 2 and what in ran.stderr, f"{words}: {ran.returncode}: {ran.stderr}")
print("planned, killed, resumed, joined")
