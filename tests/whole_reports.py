# Purpose: every verb writes its reports whole or not at all: an old one stays as it was when the work
# fails or is interrupted, a new one keeps its mode, and nothing else is left in the folder.
import json
import os
import resource
import shlex
import signal
import subprocess
import threading
import time

from lab_helpers import HALFOPEN, check, halfopen, temporary_folder, wait_until

folder = temporary_folder()
reports = folder / "reports"
reports.mkdir()
os.umask(0o027)
pair = ("test", "--clock", "real", "--server", shlex.quote(HALFOPEN) + " serve echo --listen 0.0.0.0", "--client",
        "echo one | " + shlex.quote(HALFOPEN) + " call echo server", "--limit", "3", "--case", "shutdown/1")  # fmt: skip
lab = "lab", "exit/fin-first", "--evidence", folder / "evidence"


def old(name):
    """A report that is there already, with a mode of its own."""
    path = reports / name
    path.write_text("old")
    path.chmod(0o604)
    return path


def stays(path, what):
    check(path.read_text() == "old", f"{what}: the old report is {path.read_text()[:80]!r}")
    left = {p.name for p in reports.iterdir()}
    check(left == {path.name}, f"{what}: left in the folder: {left}")
    path.unlink()


# New, and in the place of an old one, which keeps its mode.
check(halfopen(*lab, "--json", reports / "new.json").returncode == 0, "lab --json")
check(json.loads((reports / "new.json").read_text())["runs"]["met"] == 2, "lab --json is whole")
check((reports / "new.json").stat().st_mode & 0o777 == 0o640, "a new report has the mode that the umask leaves")
for name in "old.json", "old.xml", "old.html":
    old(name)
options = "--json", reports / "old.json", "--junit", reports / "old.xml", "--html", reports / "old.html"
ran = halfopen(*pair, *options)
check(ran.returncode == 0, f"test: {ran.returncode} {ran.stderr}")
again = halfopen("report", "merge", reports / "old.json", *options)
check(again.returncode == 0, f"merge into the file that was read: {again.stderr}")
for name, begin in ("old.json", "{"), ("old.xml", "<?xml"), ("old.html", "<!DOCTYPE"):
    check((reports / name).read_text().startswith(begin), name)
    check((reports / name).stat().st_mode & 0o777 == 0o604, f"{name} keeps its mode")
capture = folder / "evidence/exit-fin-first.naive.pcapng"
check(halfopen("autopsy", capture, "--html", reports / "old.html").returncode == 0, "autopsy --html")
check("<svg" in (reports / "old.html").read_text(), "autopsy's page")
for path in list(reports.iterdir()):
    path.unlink()

# A disk without room: said, and the old report stays.
small = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))}
(folder / "big.json").write_text(json.dumps({"schema": 2, "pairs": [{"name": "x" * 5000, "cases": []}]}))
for verb in ("report", "merge", folder / "big.json", "--json"), ("autopsy", capture, "--html"):
    path = old("report")
    ran = halfopen(*verb, path, **small)
    check(ran.returncode == 2 and f"cannot write {path}: File too large" in ran.stderr, f"{verb}: {ran}")
    stays(path, verb)

# What cannot be written is told before anything is played, and no other report is touched.
path = old("report")
for verb in lab, pair, ("report", "merge", folder / "big.json"), ("autopsy", capture):
    option = "--html" if verb[0] == "autopsy" else "--json"
    ran = halfopen(*verb, option, folder / "missing/x", timeout=20)
    check(ran.returncode == 2 and "missing/x: No such file or directory" in ran.stderr, f"{verb}: {ran}")
    check("[" not in ran.stderr, f"{verb}: it was told late: {ran.stderr}")
ran = halfopen("report", "merge", folder / "big.json", "--json", path, "--html", folder / "missing/x")
check(ran.returncode == 2, f"{ran}")
stays(path, "merge with a report that cannot be written")

# The baseline fails: nothing has been judged.
path = old("report")
ran = halfopen("test", "--clock", "real", "--server", "exit 1", "--client", "true", "--json", path)
check(ran.returncode == 2, f"{ran}")
stays(path, "no baseline")

# A FIFO and the standard output are written to.
os.mkfifo(reports / "fifo")
read = []
reader = threading.Thread(target=lambda: read.append((reports / "fifo").read_text()))
reader.start()
check(halfopen("report", "merge", folder / "big.json", "--json", reports / "fifo").returncode == 0, "a FIFO")
reader.join(20)
check(read and json.loads(read[0])["pairs"], "the reader of a FIFO gets the report")
(reports / "fifo").unlink()
for name in "-", "/dev/stdout":
    out = halfopen("report", "merge", folder / "big.json", "--json", name).stdout
    check(out.startswith("{") and '"pairs"' in out, f"{name}: {out[:80]}")
with (folder / "redirected").open("w") as to:
    halfopen("report", "merge", folder / "big.json", "--json", "/dev/stdout", stdout=to, capture_output=False)
text = (folder / "redirected").read_text()
check(text.startswith("{") and text.endswith("no cases\n"), f"a redirected /dev/stdout: {text[-80:]!r}")

# Ctrl-C before there is anything to report on.
path = old("report")
test = subprocess.Popen([HALFOPEN, "test", "--clock", "real", "--server", "sleep 60", "--client", "true", "--json", path],
                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
check(wait_until(lambda: os.path.exists(f"/proc/{test.pid}/task/{test.pid}/children")
                 and open(f"/proc/{test.pid}/task/{test.pid}/children").read(), 20), "it has begun")  # fmt: skip
time.sleep(0.5)
test.send_signal(signal.SIGINT)
check(test.wait(20) == 130, f"interrupted: {test.returncode}")
stays(path, "interrupted in the baseline")
