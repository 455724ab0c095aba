"""What the lab's tests share. HALFOPEN in the environment names the program under test."""

import atexit
import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HALFOPEN = os.environ["HALFOPEN"]
QUIET_TSHARK = {"", 'Running as user "root" and group "root". This could be dangerous.'}


def check(holds, what):
    """Ends the test unless it holds."""
    if not holds:
        sys.exit(f"FAILED: {what}")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def need_kernel():
    """Skips the test where the virtual clock's kernel is missing."""
    if halfopen("clock", "status").returncode != 0:
        skip("not there: halfopen clock build")


def kernel_cache():
    """XDG_CACHE_HOME, or what stands for it."""
    return os.environ.get("XDG_CACHE_HOME") or str(pathlib.Path.home() / ".cache")


def halfopen(*arguments, **options):
    """Runs it to its end; standard output and error are kept as text."""
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 200} | options
    return subprocess.run([HALFOPEN, *map(str, arguments)], **options)


def temporary_folder():
    """A folder that is gone when the test ends."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="lab-test-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def patience(seconds):
    """A promise about time holds on a machine that has time; a busy one gets more."""
    return seconds if os.getloadavg()[0] < os.cpu_count() else 4 * seconds


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def variants():
    """The ids that `halfopen list lab` prints: "exit/fin-first" and so on."""
    words = (line.split()[0] for line in halfopen("list", "lab").stdout.splitlines() if line.startswith(" "))
    return [word for word in words if "/" in word]


def results(json_file):
    """{("exit/fin-first", "naive"): {...}} of what `halfopen lab --json` wrote."""
    listed = json.loads(pathlib.Path(json_file).read_text())["results"]
    return {(f"{r['situation']}/{r['variant']}", r["pair"]): r for r in listed}


def judged(server, client, *options):
    """What `halfopen test` says of each case of that pair: a list of the objects of its JSON."""
    folder = temporary_folder()
    ran = halfopen("test", "--server", server, "--client", client, "--json", folder / "results.json", *options,
                   timeout=1500)
    written = (folder / "results.json").exists() and (folder / "results.json").read_text()
    check(written, f"halfopen test --server '{server}' --client '{client}': {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return json.loads(written)["pairs"][0]["cases"]


OF_TLS = {"exit/9", "exit/10"}
NEEDS_A_SHARED_PORT = {"shutdown/7"}  # SO_REUSEPORT: replaced.py


def not_as_meant(results, meant):
    """A line a case whose verdict is another one than in `meant`, {"fail": {"exit/7"}, ...}; the rest shall pass.

    What is meant of exit/7 is meant of exit/7@1 too, unless that is named itself. Of two that do not speak TLS
    nothing is known in the cases of TLS, nor of a server that does not share its port in what needs that."""
    named = {case: verdict for verdict, cases in meant.items() for case in cases}
    for r in results:
        verdict, case = r["verdict"], r["id"].split("@")[0]
        wanted = named.get(r["id"]) or named.get(case, "not applicable" if case in OF_TLS | NEEDS_A_SHARED_PORT else "pass")
        if verdict != wanted:
            yield f"{r['id']}: {verdict} instead of {wanted}: {r['reason'] or r['happened']}"
    for missing in sorted(set(named) - {r["id"] for r in results}):
        yield f"{missing}: not played"


def tshark(capture, *arguments):
    """What tshark says about a capture, by lines; it must read it without complaint."""
    if shutil.which("tshark") is None:
        skip("tshark is not installed")
    ran = subprocess.run(["tshark", "-r", capture, *arguments], capture_output=True, text=True, timeout=100)
    complaints = set(ran.stderr.splitlines()) - QUIET_TSHARK
    check(ran.returncode == 0 and not complaints, f"{capture}: tshark says {ran.returncode} {complaints}")
    return ran.stdout.splitlines()


def packets(capture, *fields):
    """A list a packet, with the text of each field; several values are joined with ';'. Hosts are named."""
    wanted = [word for field in fields for word in ("-e", field)]
    lines = tshark(capture, "-N", "n", "-T", "fields", "-E", "aggregator=;", *wanted)
    return [line.split("\t") for line in lines]


def adopt_orphans():
    """From now on no process that this test causes can leave its family (PR_SET_CHILD_SUBREAPER)."""
    check(ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0) == 0, "PR_SET_CHILD_SUBREAPER")


def command(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None


def family():
    """Names, by process id, of all processes that descend from this one; those that ended are reaped first."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass
    parent = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent[pid] = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            pass  # it ended meanwhile
    found, new = set(), {str(os.getpid())}
    while new := {pid for pid in parent if parent[pid] in new} - found:
        found |= new
    return {pid: name for pid in found if (name := command(pid))}


def marked(mark):
    """Processes anywhere whose environment holds the mark."""
    found = []
    for environment in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in environment.read_bytes():
                found.append(environment.parent.name)
        except OSError:
            pass  # ended, or another user's
    return found


def mounts():
    return pathlib.Path("/proc/self/mountinfo").read_text()


@contextlib.contextmanager
def busy_loops(count):
    """So many processes that do nothing but compute; they end with this one, whatever ends it."""
    loop = f"import os\nwhile os.getppid() == {os.getpid()}: sum(range(100000))"
    loops = [subprocess.Popen([sys.executable, "-c", loop]) for _ in range(count)]
    try:
        yield
    finally:
        for one in loops:
            one.kill()
            one.wait()
