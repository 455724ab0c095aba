# Purpose: with the virtual clock the whole lab plays at full length, with the kernel's
# own timers, in little real time; and each time it is the same, to the millisecond and
# to the byte of each capture. Arguments: how many times, and the IP version.
import hashlib
import re
import sys
import time

from lab_helpers import check, halfopen, need_kernel, results, temporary_folder

need_kernel()
times, ip = int(sys.argv[1]), sys.argv[2]
folder = temporary_folder()

# Seconds from the fault on, as the kernel's defaults have them: (least, most).
RETRANSMISSION, CONNECTING = (924.6, 945), (131, 140)
LENGTHS = {
    ("crash/in-flight", "naive"): RETRANSMISSION,
    ("crash/in-flight-host", "naive"): RETRANSMISSION,
    ("crash/in-flight-net", "naive"): RETRANSMISSION,
    ("crash/connecting", "naive"): CONNECTING,
}
KEEPALIVE = {
    "crash/idle": (7875, 8010, "ETIMEDOUT"),
    "crash/idle-host": (7875, 8010, "ETIMEDOUT"),
    "crash/idle-net": (7875, 8010, "ETIMEDOUT"),
    "reboot/idle": (7200, 7335, "ECONNRESET"),  # a timer that long is coarse (kernel/time/timer.c)
}


def play():
    began = time.monotonic()
    # The same day each time, though midnight may come.
    ran = halfopen("lab", "--clock", "virtual", "--date", "2026-01-01", "--ip", ip, "--json", folder / "results.json",
                   "--evidence", folder / "evidence", timeout=600)  # fmt: skip
    took = time.monotonic() - began
    check(ran.returncode == 0, f"exit code {ran.returncode}: {ran.stdout} {ran.stderr}")
    check("58 of 58 runs as expected." in ran.stdout, ran.stdout)
    check("computed" not in ran.stdout, "a length was computed")
    played = results(folder / "results.json")
    files = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in (folder / "evidence").iterdir()}
    print(f"{took:.1f} s")
    return played, files


def lengths(played):
    for run, (least, most) in LENGTHS.items():
        seconds = played[run]["after_ms"] / 1e3
        check(least <= seconds <= most, f"{run}: {seconds} s")
        check(not played[run]["settings"], f"{run}: {played[run]['settings']}")
    for variant, (least, most, errno) in KEEPALIVE.items():
        run = played[variant, "naive"]
        text, seconds = run["at_kernel_defaults_measured"], run["at_kernel_defaults_ms"] / 1e3
        check(least <= seconds <= most and text.endswith(f": {errno}"), f"{variant}: {seconds} s, {text}")


first, captures = play()
lengths(first)
for number in range(2, times + 1):
    again, again_captures = play()
    # Where the evidence is was the caller's choice; all else is the guest's.
    differ = "\n".join(f"{k}: {first[k]}\nnow {again[k]}" for k in first if first[k] != again[k])
    check(not differ, f"time {number}:\n{differ}")
    other = [name for name in captures if captures[name] != again_captures[name]]
    check(not other, f"time {number}: other captures: {other}")
