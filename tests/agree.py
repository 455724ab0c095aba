# Purpose: what was done, what the packets tell and what the library reports agree
# each time, for every way to end a connection with RST or FIN. Argument: how many times.
import json
import sys

from lab_helpers import check, halfopen, temporary_folder

RESETS_AND_FINS = "exit/*", "sigpipe/*", "abort/*", "reboot/writing", "shutdown/idle"

times, folder = int(sys.argv[1]), temporary_folder()
chosen = *RESETS_AND_FINS, "--pair", "robust", "--repeat", times
ran = halfopen("lab", *chosen, "--json", folder / "r.json", "--evidence", folder / "e", timeout=3000)
tallies = json.loads((folder / "r.json").read_text())["tallies"]
check(len(tallies) == 11, f"11 variants, not {len(tallies)}")
wrong = [f"{t['situation']}/{t['variant']}: {t}" for t in tallies if t["agree"] != times or t["verdicts"] != {"met": times}]
check(not wrong, "\n".join([*wrong, ran.stdout[-6000:]]))
check(ran.returncode == 0 and f"\n{11 * times} of {11 * times} agree\n" in ran.stdout, f"exit code {ran.returncode}")
