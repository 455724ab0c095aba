# Purpose: exit codes and words of the command line, right and wrong.
import fcntl
import json
import subprocess
import os

from lab_helpers import check, halfopen, temporary_folder, variants

folder = temporary_folder()
(folder / "file").touch()


def says(code, words, *arguments):
    ran = halfopen(*arguments, cwd=folder, timeout=30)
    where = ran.stdout if code == 0 else ran.stderr
    check(ran.returncode == code, f"{arguments}: exit code {ran.returncode}, not {code}: {ran.stderr}")
    check(words in where, f"{arguments}: does not say '{words}' but '{where}'")
    return where


known = "abort exit sigpipe crash reboot shutdown format"
for unknown in "nonsense", "zz*", "exit/nonsense", "":
    says(2, known, "lab", unknown)
says(2, "--nonsense", "lab", "--nonsense")
says(2, "there is no verb", "nonsense")
says(2, "subcommand")
says(2, "{naive,robust,both}", "lab", "--pair", "x")
says(2, "{4,6}", "lab", "--ip", "5")
says(2, "--jobs", "lab", "--jobs", "0")
for unknown in "vax", "s390x,vax", ",":
    says(2, "--arch", "lab", "format", "--arch", unknown)
says(2, "x86-64, i686, s390x, powerpc, armhf", "lab", "format", "--arch", "vax")
says(2, "halfopen lab format --arch", "lab", "exit", "--arch", "all")
says(2, "halfopen lab format --explain", "lab", "format/padding", "--explain")
says(2, "real clock", "lab", "format", "--arch", "--clock", "virtual")
for number in "0", "-1", "many", "100001":
    says(2, "--repeat", "lab", "exit", "--repeat", number)
says(2, "--grace", "lab", "--grace", "-1")
for verb in ["lab"], ["test"], ["clock", "run"]:
    says(2, "--date: '2026-02-29' is no day", *verb, "--date", "2026-02-29")
says(2, "--date is for the virtual clock", "lab", "--date", "2026-02-28")
says(2, "--date is for the virtual clock", "test", "--clock", "real", "--date", "2026-02-28", "--server", "x",
     "--client", "x")  # fmt: skip

says(2, "missing/x.json: No such file or directory", "lab", "exit", "--json", folder / "missing/x.json")
says(2, "Is a directory", "lab", "exit", "--json", folder)
says(2, "Not a directory", "lab", "exit", "--evidence", folder / "file")
says(2, "Not a directory", "lab", "exit", "--evidence", folder / "file/below")
(folder / "locked").mkdir(mode=0o500)
if os.geteuid() != 0:
    says(2, "Permission denied", "lab", "exit", "--evidence", folder / "locked")

held = os.open(folder, os.O_RDONLY)  # as another lab would
fcntl.flock(held, fcntl.LOCK_EX)
says(2, "another lab writes its evidence", "lab", "exit", "--evidence", folder)
os.close(held)

says(0, "Usage: halfopen", "--help")
says(0, "halfopen 0.", "--version")
text = says(0, "Examples:", "lab", "--help")
check("Exit codes: 0 " in text and "  halfopen lab" in text, "lab --help names exit codes and an example")
check(len(variants()) == len(set(variants())) == 29, "list has a line a variant")
both, lab, test = (says(0, words, "list", *which) for which, words in
                   (((), "halfopen test:"), (("lab",), "halfopen lab:"), (("test",), "halfopen test:")))  # fmt: skip
check(both == lab + "\n" + test, "list has both, parted")
cases = [line.split() for line in test.splitlines() if line.startswith("   ")]
check(len({case[0] for case in cases}) == len(cases) > 80, f"list has a line a case: {len(cases)}")
check(all(case[1] in ("client", "server", "service") and len(case) > 3 for case in cases), "... with its subject and what is done")
says(2, "{lab,test}", "list", "everything")
says(0, "This machine can run the lab.", "doctor")

text = says(0, "peer_rebooted ", "explain")
endings = text.split("\n\n")[0].splitlines()[1:]
check(len(endings) == 14, f"explain has a line an ending: {endings}")
check(all(len(line) <= 80 for line in text.splitlines()), "explain's list keeps to 80 columns")
for kind in "Phases", "Retry", "Verdicts of halfopen lab", "Verdicts of halfopen test", "Manners", "Doubts":
    check(f"\n{kind}" in text, f"explain lists {kind}")
says(0, "Examples:", "explain", "--help")
for name in "ECONNRESET", "econnreset", "104":
    text = says(0, "ECONNRESET (104): Connection reset by peer", "explain", name)
    found = [line for line in text.splitlines() if line in ("peer_reset", "peer_rebooted")]
    check(found == ["peer_reset", "peer_rebooted"], f"explain {name}: {found}")
text = says(0, "peer_vanished", "explain", "peer_vanished")
check("TCP_USER_TIMEOUT" in text and "peer_reset" not in text, "explain explains what was asked for")
check(all(len(line) <= 80 for line in text.splitlines()), "explain keeps to 80 columns")
for words in ["not applicable"], ["not", "applicable"], ["NOT_Applicable"]:
    text = says(0, "not applicable (a verdict of halfopen test)", "explain", *words)
    check("not applicable (a verdict of halfopen lab)" in text, f"explain {words}: {text}")
says(0, "the server is killed after the request, before the reply", "explain", "exit/6")
says(0, "SIGKILL to the server; the client writes", "explain", "exit/rst-first")
text = says(0, "EPIPE (32)", "explain", "epipe", "exit")
check("a situation of halfopen lab" in text and "a family of cases of halfopen test" in text, "explain of two words")
says(2, "Near it: ECONNRESET", "explain", "ECONRESET")
says(2, "Near it: peer_reset", "explain", "peer_rest")
for unknown in "nonsense", "", "104x", "99999", "\x1b[2J", "x" * 5000:
    text = says(2, "is no word of halfopen's reports", "explain", unknown)
    check("\x1b" not in text and len(text) < 400, f"explain does not repeat what could harm: {text!r}")

one = says(0, "2 of 2 runs as expected.", "lab", "exit/fin-first", "exit/fin-*", "--evidence", folder / "one")
check("rst-first" not in one and "fin-first" in one, "plays just what was named")
captures = {path.name for path in (folder / "one").iterdir()}
check(captures == {f"exit-fin-first.{pair}.pcapng" for pair in ("naive", "robust")}, f"captures {captures}")
says(0, "1 of 1 runs as expected.", "lab", "exit/fin-first", "--pair", "naive", "--evidence", folder / "two")

# Repeated: all is counted, and the disk is not filled.
many = "lab", "exit/fin-first", "--repeat", "3", "--evidence", folder / "many"
text = says(0, "6 of 6 runs as expected.", *many, "--json", folder / "many.json")
check("3 of 3: completed" in text, "how often each outcome came")
check("\n3 of 3 agree\n" in text, "how often the three views agree")
captures = {path.name for path in (folder / "many").iterdir()}
first = {f"exit-fin-first.{pair}.pcapng" for pair in ("naive", "robust")}
check(captures == first, f"captures of the first round only, not {captures}")
document = json.loads((folder / "many.json").read_text())
check([r["round"] for r in document["results"]] == [1, 1] and document["rounds"] == 3, "results of the first round")
tallies = [(t["pair"], t["played"], t["verdicts"], t.get("agree")) for t in document["tallies"]]
check(tallies == [("naive", 3, {"met": 3}, None), ("robust", 3, {"met": 3}, 3)], f"tallies {tallies}")

# One round that fails is seen, and told.
(folder / "many/exit-fin-first.robust.round-2.pcapng").mkdir()
ran = halfopen(*many, "--pair", "robust", cwd=folder)
check(ran.returncode == 1 and "2 of 3 runs as expected." in ran.stdout, f"a round fails: {ran}")
check("round 2: broken" in ran.stdout and "\n2 of 3 agree\n" in ran.stdout, f"a round fails: {ran.stdout}")

# What cannot be written is noticed, late as it is.
late = "lab", "exit/rst-first", "--json", "/dev/full", "--evidence", folder / "three"
says(2, "/dev/full: No space left on device", *late)

# No number, and nothing that would be lost.
for number in "nan", "inf", "-1", "abc":
    says(2, "", "test", "--server", "true", "--client", "true", "--limit", number)
    says(2, "", "lab", "--grace", number)
(folder / "capture").write_bytes(b"whatever this is")
for option in "--html", "--write":
    says(2, "would be overwritten", "autopsy", folder / "capture", option, folder / "." / "capture")
check((folder / "capture").read_bytes() == b"whatever this is", "the capture is as it was")
says(2, "would be overwritten", "test", "--server", "true", "--client", "true", "--json", folder / "r", "--junit", folder / "r")
for command in ("--help",), ("list",), ("explain", "peer_reset"):
    with open("/dev/full", "w") as full:
        ran = halfopen(*command, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    check(ran.returncode == 3 and "No space left" in ran.stderr, f"{command} to a full disk: {ran}")
