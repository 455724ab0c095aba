"""The verdicts on the built-in pairs: the robust ones pass everything, the naive one fails what it should."""

from lab_helpers import HALFOPEN, check, judged, not_as_meant

# One request: nothing is idle, and nothing is written after a reset.
ONE_REQUEST = "exit/5 sigpipe/3 crash/6 reboot/3 idle/1 idle/2"

NAIVE_FAILS = {
    "server": "abort/2 abort/3 abort/4 sigpipe/1 crash/1 crash/2 reboot/1 shutdown/2 shutdown/5 format/3 "
              "overload/1 overload/2 overload/3 overload/4",
    "client": "exit/7 exit/8 sigpipe/3 crash/6 crash/7 crash/8 crash/9 crash/10 reboot/4 reboot/5 reboot/6 "
              "connect/2 connect/5 connect/6 connect/7 idle/1",
}
NAIVE_WARNS = "crash/3 crash/4 crash/5"  # the kernel gives up in the end

# A part of the first reply is taken for the whole, but the second request meets the end and tells.
TOLD_LATER = "exit/7@1"

PAIRS = {
    "sum robust": (f"exec {HALFOPEN} serve sum --listen 0.0.0.0", f"echo 1 2 | {HALFOPEN} call sum server",
                   {"not applicable": ONE_REQUEST}),
    "echo robust": (f"exec {HALFOPEN} serve echo --listen 0.0.0.0",
                    f"(echo one; sleep 1; echo two) | {HALFOPEN} call echo server", {}),
    "echo naive": (f"exec {HALFOPEN} serve echo --pair naive --listen 0.0.0.0",
                   f"(echo one; sleep 1; echo two) | {HALFOPEN} call echo --pair naive server",
                   {"fail": " ".join(NAIVE_FAILS.values()), "warn": NAIVE_WARNS, "pass": TOLD_LATER}),
}

wrong = 0
for name, (server, client, meant) in PAIRS.items():
    found = list(not_as_meant(judged(server, client), {v: set(cases.split()) for v, cases in meant.items()}))
    wrong += len(found)
    print(f"{name}: {'' if found else 'as it shall be'}", *found, sep="\n  ", flush=True)
check(wrong == 0, f"{wrong} cases")
