"""The tables of docs/scoreboard*.md, made from the kept results. What stands outside of the marks is written by hand."""

import collections
import re

from scoreboard_data import ROOT, VERDICTS, in_order

BEGIN, END = "<!-- scripts/scoreboard writes from here -->", "<!-- to here -->"
SHORT = {"pass": "·", "warn": "warn", "fail": "**fail**", "inconclusive": "?", "not applicable": ""}
OF_SYSTEMS = {"pass": "·", "warn": "w", "fail": "**F**", "inconclusive": "?", "not applicable": "-"}
OUTAGES = {1: "killed, idle", 2: "killed, in flight", 3: "vanished 5 s, idle", 4: "vanished 5 s, in flight",
           5: "vanished in mid-reply", 6: "vanished, long", 7: "link cut, long", 8: "link cut 5 s, idle",
           9: "unreachable, long", 10: "frozen, long", 11: "accepts, never speaks", 12: "stopped, long",
           13: "forgotten silently", 14: "forgotten, RST", 15: "all reset", 16: "moved to another address", 17: "SIGTERM",
           18: "lost again", 19: "ten outages", 20: "started before it", 21: "slow"}


def table(head, rows):
    return ["| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rows]]


def count_rows(shown):
    for r in shown:
        for subject in ("server", "client"):
            counts = r.counts(subject)
            yield [r.entry.name, subject, *(str(counts[v] or "") for v in VERDICTS)]


def case_rows(shown):
    done = {c["id"]: c["done"] for r in shown for c in r.pair["cases"]}  # not each pair has exit/6@1
    for case in in_order(done):
        cells = [r.cases.get(case, {"verdict": "not applicable"})["verdict"] for r in shown]
        yield [f"`{case}` {done[case]}", *(SHORT[v] for v in cells)]


def shortcomings(result):
    """What does not pass: a line for all cases of which the same is said."""
    same = collections.defaultdict(list)
    for case in result.pair["cases"]:
        if case["verdict"] in ("fail", "warn", "inconclusive"):
            words = case.get("reason") or case.get("happened") or ""
            same[case["verdict"], case["subject"], words].append(case["id"])
    return sorted((verdict, subject, in_order(cases), words) for (verdict, subject, words), cases in same.items())


def differences(shown):
    """The cases whose verdict is not the same in each round."""
    for r in shown:
        for case in in_order(r.cases):
            if len(set(r.rounds(case))) > 1:
                yield f"- {r.entry.name} `{case}`: {', '.join(r.rounds(case))}"


def joined(values):
    """Each once, in order."""
    return ", ".join(dict.fromkeys(v for v in values if v))


def conditions(shown):
    """When and on what they were played."""
    dates = sorted(r.pair["date"][:10] for r in shown)
    packages = {}
    for r in shown:
        packages |= r.about.get("packages", {})
    rounds = sorted({r.about.get("played", "1") for r in shown})
    yield f"Date: {dates[0]}{'' if dates[0] == dates[-1] else ' to ' + dates[-1]}. Machine: {joined(r.about.get('machine', '') for r in shown)}."
    yield f"Clock: {clocks(shown)}. Rounds: {' or '.join(rounds)}; the worse verdict counts."
    yield "Packages: " + ", ".join(f"{p} {v}" for p, v in sorted(packages.items())) + "."


def clocks(shown):
    by_clock = collections.defaultdict(list)
    for r in shown:
        by_clock[r.pair["clock"]].append(r.entry.name)
    most = max(by_clock, key=lambda c: len(by_clock[c]))
    return "; ".join([most] + [f"of {', '.join(names)} {c}" for c, names in by_clock.items() if c != most])


def of_pairs(shown):
    yield from conditions(shown)
    yield from ["", *table(["pair", "judged", *SHORT], count_rows(shown))]
    yield from ["", "A dot is a pass, an empty field not applicable.", ""]
    yield from table(["case", *(r.entry.name for r in shown)], case_rows(shown))
    yield from ["", "Differences between rounds:", "", *(list(differences(shown)) or ["none."])]
    for r in shown:
        yield from ["", f"#### {r.entry.name}", ""]
        if r.entry.server:
            yield from ["```sh", r.entry.server, "", r.entry.client, "```", ""]
        lines = [f"- {subject} **{verdict}** {' '.join(f'`{c}`' for c in cases)}: {words}"
                 for verdict, subject, cases, words in shortcomings(r)]
        yield from lines or ["Nothing but passes."]


def system_columns(kept):
    """(heading, Result, link) of every column: what was played with the real clock has a star."""
    for variants in kept:
        for title, link in next(iter(variants.values())).entry.columns.items():
            for variant, r in variants.items():
                if any(c.endswith("@" + link) for c in r.cases):
                    star = "*" if r.pair["clock"] == "real" else ""
                    short = title.split(" (")[0] if variant == "cured" else title
                    yield short + (", cured" if variant == "cured" else "") + star, r, link


def of_systems(kept):
    """Eight columns beside each other are as many as a page takes."""
    columns = list(system_columns(kept))
    for first in range(0, len(columns), 8):
        some = columns[first:first + 8]
        numbers = sorted({int(re.match(r"outage/(\d+)@", c)[1]) for _, r, link in some for c in r.cases if c.endswith("@" + link)})
        rows = [[f"{n} {OUTAGES.get(n, '')}".strip(),
                 *(OF_SYSTEMS[r.cases[f"outage/{n}@{link}"]["verdict"]] if f"outage/{n}@{link}" in r.cases else ""
                   for _, r, link in some)] for n in numbers]
        yield from [*([""] if first else []), *table(["outage", *(heading for heading, _, _ in some)], rows)]


def write_page(name, lines):
    file = ROOT / "docs" / name
    page = file.read_text()
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{file} has not the marks between which its tables stand")
    file.write_text(f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{after}")


def write_all(listed, kept):
    """The tables of every page that an entry names."""
    for page in dict.fromkeys(e.table for e in listed.values()):
        there = [kept[e.name] for e in listed.values() if e.table == page and e.name in kept]
        if not there:
            continue
        systems = [v for v in there if next(iter(v.values())).entry.kind == "system"]
        shown = [v["defaults"] for v in there if "defaults" in v and v["defaults"].entry.kind == "pair"]
        write_page(page, of_systems(systems) if systems else of_pairs(shown))
