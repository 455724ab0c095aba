# Purpose: Ctrl-C ends the judge with code 130, and what was played until then is reported: on the
# terminal, in JSON, JUnit and HTML, with how many cases of how many; a second Ctrl-C loses nothing of it.
# Argument: the clock.
import json
import re
import shlex
import signal
import subprocess
import sys
import time

from lab_helpers import HALFOPEN, adopt_orphans, check, family, halfopen, need_kernel, temporary_folder, wait_until

clock = sys.argv[1]
if clock == "virtual":
    need_kernel()
adopt_orphans()
folder = temporary_folder()
reports = {kind: folder / f"report.{kind}" for kind in ("json", "junit", "html")}
echo = shlex.quote(HALFOPEN) + " {} echo --pair naive "
# Many cases, some of which hang for the whole limit; a share of the virtual clock's is a case.
pair = ["test", "--clock", clock, "--jobs", "1", "--limit", "20", "--server", echo.format("serve") + "--listen 0.0.0.0",
        "--client", "(echo one; sleep 0.5; echo two) | " + echo.format("call") + "server", "--case", "exit", "crash",
        *(word for kind, path in reports.items() for word in (f"--{kind}", path))]  # fmt: skip


def begin(arguments):
    return subprocess.Popen([HALFOPEN, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=(folder / "errors").open("w"), text=True, process_group=0)  # fmt: skip


def played():
    return (folder / "errors").read_text().count("\n[") + (folder / "errors").read_text().startswith("[")


for times in 1, 3:
    for path in reports.values():
        path.unlink(missing_ok=True)
    judge = begin(pair)
    check(wait_until(lambda: played() >= 2 or judge.poll() is not None, 100), "two cases were played")
    for _ in range(times):
        judge.send_signal(signal.SIGINT)
        time.sleep(0.01)
    out, _ = judge.communicate(timeout=60)
    check(judge.returncode == 130, f"exit code {judge.returncode}: {out}")
    last = re.fullmatch(r"interrupted: (\d+) of (\d+) cases were played: .*", out.splitlines()[-1])
    check(last, f"the last line: {out}")
    planned = int(last[2])  # cases that fall on a request are played at two of them
    said = f"interrupted: {last[1]} of {planned} cases were played"
    judged = json.loads(reports["json"].read_text())["pairs"][0]
    check(judged["interrupted"] and judged["planned"] == planned, f"JSON: {judged}")
    check(2 <= len(judged["cases"]) == int(last[1]) < planned, f"JSON: {len(judged['cases'])} cases, {last[1]} said")
    check(f'<error message="{said}"' in reports["junit"].read_text(), "JUnit")
    check(f": {said}</p>" in reports["html"].read_text().split("<table")[0], "HTML says it at the top")
    check(wait_until(lambda: not family(), 5), f"processes left: {family()}")
    merged = halfopen("report", "merge", reports["json"])
    check(said in merged.stdout and merged.returncode in (1, 4), f"merge: {merged}")

# In the baseline, which waits for a server that does not come: it computes, which takes time with either clock.
for path in reports.values():
    path.unlink(missing_ok=True)
judge = begin([*pair[:pair.index("--server")], "--server", "while :; do :; done", *pair[pair.index("--client"):]])
time.sleep(2)
judge.send_signal(signal.SIGINT)
out, _ = judge.communicate(timeout=60)
check(judge.returncode == 130, f"in the baseline: exit code {judge.returncode}: {out}")
said = out + (folder / "errors").read_text()
check("interrupted before a case was played" in said or "interrupted: 0 of " in said,
      f"in the baseline: {said}")  # fmt: skip
check(wait_until(lambda: not family(), 5), f"processes left: {family()}")
