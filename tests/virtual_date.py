# Purpose: a guest of the virtual clock begins today, after all that was made today, and the same
# all day; or on the day of --date, which the command that repeats a case has if it was given.
import datetime
import json
import shlex

from lab_helpers import HALFOPEN, check, halfopen, need_kernel, temporary_folder

need_kernel()
folder = temporary_folder()


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%F")


def clock(*options):
    """What a program in a guest takes for the time, to the nanosecond, and whether a file made just now is older."""
    made = folder / "made"
    made.touch()
    newer = f'[ {made} -nt /dev/null ] && echo "newer than now"'
    ran = halfopen("clock", "run", *options, "--", "sh", "-c", f"date -u '+%F %T.%N'; touch /dev/null; {newer}; true")
    check(ran.returncode == 0, f"{options}: {ran.returncode} {ran.stderr}")
    return ran.stdout


before = today()
times = [clock(), clock()]
if today() == before:  # no midnight between
    check(times[0] == times[1], f"two runs of a day differ: {times}")
    check(times[0].startswith(f"{before} 23:59:59."), f"not today, but {times[0]}")
    check("newer" not in times[0], f"what was made now comes from the future: {times[0]}")
check(clock("--date", "2031-02-03").startswith("2031-02-03 00:00:00."), "clock run --date")
check(clock("--date", "1970-01-01").startswith("1970-01-01 00:00:00."), "clock run --date, as early as can be")

# The judge's and the lab's guests, by what their programs say, and by their captures.
server = shlex.quote(HALFOPEN) + " serve echo --pair naive --listen 0.0.0.0"
client = "date -u +%F; echo one | " + shlex.quote(HALFOPEN) + " call echo --pair naive server"
for options in [], ["--date", "2031-02-03"]:
    before = today()
    ran = halfopen("test", "--server", server, "--client", client, "--clock", "virtual", "--case", "exit/7",
                   "--json", folder / "results.json", *options)  # fmt: skip
    check(ran.returncode in (0, 1), f"{options}: {ran.returncode} {ran.stdout} {ran.stderr}")
    case = json.loads((folder / "results.json").read_text())["pairs"][0]["cases"][0]
    said = next(out["stdout"] for out in case["outputs"] if out["program"] == "client")
    expected = options[1:] or [before, today()]
    expected += [(datetime.date.fromisoformat(e) + datetime.timedelta(1)).isoformat() for e in expected if not options]
    check(said.split()[0] in expected, f"{options}: the client begins on {said}, not on {expected}")
    command = ran.stdout.split("  repeat      ")[1].splitlines()[0]
    check((" --date 2031-02-03 " in command) == bool(options), f"{options}: {command}")

ran = halfopen("lab", "exit/fin-first", "--clock", "virtual", "--date", "2031-02-03", "--pair", "naive",
               "--evidence", folder / "evidence")  # fmt: skip
check(ran.returncode == 0, f"lab: {ran.returncode} {ran.stdout} {ran.stderr}")
ran = halfopen("autopsy", folder / "evidence/exit-fin-first.naive.pcapng", "--json")
check("2031-02-03T00:00:" in ran.stdout or '"1927843' in ran.stdout, f"the capture's time: {ran.stdout}")
