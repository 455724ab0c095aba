# Purpose: the lab says the same each time. Argument: how many times it is played.
import re
import sys

from lab_helpers import check, halfopen, results, temporary_folder

folder = temporary_folder()
first = None
for number in range(1, int(sys.argv[1]) + 1):
    ran = halfopen("lab", "--json", folder / "results.json", "--evidence", folder / "evidence")
    played = results(folder / "results.json")
    said = {k: (r["verdict"], re.sub(r"cut: \d+ of", "cut: N of", r["saw"])) for k, r in played.items()}
    first = first or said
    differ = "\n".join(f"{k}: {first.get(k)}, now {said.get(k)}" for k in first | said if first.get(k) != said.get(k))
    check(ran.returncode == 0 and not differ, f"time {number}, exit code {ran.returncode}\n{differ}")
