"""What is on the scoreboard (docs/scoreboard/entries.toml), and what was kept of its results."""

import collections
import dataclasses
import json
import pathlib
import re
import subprocess
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
BOARD = ROOT / "docs/scoreboard"
VERDICTS = ("pass", "warn", "fail", "inconclusive", "not applicable")
# So much of a result is kept; the whole stays in the folder of the plays.
KEPT_LADDERS, KEPT_PACKETS, KEPT_ASKS = 2, 13, 50


@dataclasses.dataclass
class Entry:
    """See entries.toml."""
    name: str
    kind: str
    table: str
    title: str
    columns: dict = dataclasses.field(default_factory=dict)
    packages: list = dataclasses.field(default_factory=list)
    prepare: list = dataclasses.field(default_factory=list)
    folder: str = ""
    server: str = ""
    client: str = ""
    ready: str = ""
    options: list = dataclasses.field(default_factory=list)
    cure: str = ""
    cured: str | dict = ""
    findings: list = dataclasses.field(default_factory=list)
    docs: dict = dataclasses.field(default_factory=dict)

    def variants(self):
        """How it is played: as its manual shows it, and cured."""
        return ["defaults", "cured"] if self.cured else ["defaults"]

    def command(self, variant, jobs=None):
        """The words of `halfopen test` that play it, in its folder."""
        words = ["halfopen", "test"]
        if variant == "cured" and isinstance(self.cured, str):
            words += ["--settings", self.cured]
        if self.server:
            both = {"server": self.server, "client": self.client} | (self.cured if variant == "cured" else {})
            words += ["--name", self.title + (", cured" if variant == "cured" else ""),
                      "--server", both["server"], "--client", both["client"]]
        if self.ready:
            words += ["--ready", self.ready]
        return [*words, *self.options, *(["--jobs", str(jobs)] if jobs else [])]


def entries(file=BOARD / "entries.toml"):
    """{name: Entry} in the file's order."""
    listed = [Entry(**e) for e in tomllib.loads(file.read_text())["entry"]]
    for e in listed:
        e.server, e.client = e.server.strip(), e.client.strip()
    found = {e.name: e for e in listed}
    if len(found) != len(listed):
        raise ValueError(f"{file}: two entries have one name")
    return found


@dataclasses.dataclass
class Result:
    """What was kept of a playing."""
    entry: Entry
    variant: str
    pair: dict   # as docs/report.schema.json has it, shortened
    about: dict  # machine, packages, rounds

    @property
    def cases(self):
        return {c["id"]: c for c in self.pair["cases"]}

    def counts(self, subject=None):
        return collections.Counter(c["verdict"] for c in self.pair["cases"] if subject in (None, c["subject"]))

    def rounds(self, case):
        """The case's verdict in each round; only the kept one if rounds were not told apart."""
        told = [r[case] for r in self.about.get("rounds", []) if case in r]
        return told or [self.cases[case]["verdict"]]


def file_of(entry, variant, folder=BOARD / "results"):
    return folder / (entry.name + ("" if variant == "defaults" else ".cured") + ".json")


def results(listed, folder=BOARD / "results"):
    """{name: {variant: Result}} of what was kept."""
    found = {}
    for e in listed.values():
        for variant in ("defaults", "cured"):
            file = file_of(e, variant, folder)
            if file.exists():
                kept = json.loads(file.read_text())
                found.setdefault(e.name, {})[variant] = Result(e, variant, kept["pairs"][0], kept.get("scoreboard", {}))
    return found


# Ids in the order of the catalogue, in which families are told apart by their first appearance.
FAMILIES = ("abort", "exit", "sigpipe", "crash", "reboot", "shutdown", "format", "connect", "overload", "idle", "outage")


def in_order(ids):
    def rank(case):
        family = case.split("/")[0]
        return (FAMILIES.index(family) if family in FAMILIES else len(FAMILIES), [int(n) for n in re.findall(r"\d+", case)],
                case)
    return sorted(ids, key=rank)


def worst(pair_file, halfopen):
    """The cases with which halfopen's own report opens."""
    page = subprocess.run([halfopen, "report", "merge", pair_file, "--html", "-"], capture_output=True, text=True).stdout
    return re.findall(r'<details id="[^"]*" data-case="([^"]*)"[^>]* open>', page)


def _packets(case):
    """The ones around the fault, and the last: what a ladder needs."""
    packets = case.get("packets", [])
    proofs = {c.get("packet") for c in case.get("checks", []) if c.get("is_proof")}
    at = next((i for i, p in enumerate(packets) if p["at_ms"] >= case.get("fault_at_ms", 0)), len(packets))
    wanted = set(range(3)) | set(range(max(0, at - KEPT_PACKETS // 3), at + KEPT_PACKETS // 2)) | {len(packets) - 1}
    wanted |= {i for i, p in enumerate(packets) if p["number"] in proofs}
    shown = [p for i, p in enumerate(packets) if i in wanted][:KEPT_PACKETS]
    plain = {"icmp": "none", "became": "delivered", "notes": [], "flags": [], "length": 0}
    # Of a packet that is lost the diagram shows that anyway.
    needless = lambda p: {"label", "notes"} if p.get("became") == "lost" else {"label"}
    return [{k: v for k, v in p.items() if k not in needless(p) and plain.get(k) != v} for p in shown]


def shortened(case, with_ladder):
    """Enough for the tables, and of the worst for their pictures."""
    words = ["id", "subject", "verdict", "done"]
    if case["verdict"] != "pass":
        words += ["happened", "reason", "outcome", "length"]
    if with_ladder:
        words += ["rule", "expected", "cure", "fault_at_ms", "after_ms", "still_waiting_ms", "checks", "events", "service",
                  "dependency", "looks", "back_after_ms", "connections", "rests_on", "confirmed", "peer"]
    kept = {w: case[w] for w in words if case.get(w) not in (None, "", [])}
    if with_ladder:
        kept["packets"] = _packets(case)
        asks = [{k: v for k, v in a.items() if v not in (0, "")} | {"how": a["how"]} for a in case.get("asks", [])]
        if asks:
            kept["asks"] = asks[:KEPT_ASKS]
        kept["connections"] = case.get("connections", [])[:KEPT_ASKS]
    return kept


def keep(entry, variant, rounds, about, halfopen, folder=BOARD / "results"):
    """Shortens what was played, a list of files a round, and writes it beside what was kept before."""
    whole = file_of(entry, variant, rounds[0][0].parent).with_suffix(".whole.json")
    files = [f for r in rounds for f in r]
    subprocess.run([halfopen, "report", "merge", *files, "--json", whole], stdout=subprocess.DEVNULL)
    document = json.loads(whole.read_text())
    pair = document["pairs"][0]
    if len(document["pairs"]) != 1:
        raise ValueError(f"{entry.name}: its rounds are not of one pair; play it anew (--again)")
    drawn = worst(whole, halfopen)[:KEPT_LADDERS]
    pair["cases"] = [shortened(c, c["id"] in drawn) for c in pair["cases"]]
    if len(rounds) > 1:
        about["rounds"] = [{c["id"]: c["verdict"] for f in r for c in json.loads(f.read_text())["pairs"][0]["cases"]}
                           for r in rounds]
    folder.mkdir(parents=True, exist_ok=True)
    document["scoreboard"] = about
    file_of(entry, variant, folder).write_text(written(document))


def written(document):
    """A line a case, so that a change is seen as one."""
    pair = document["pairs"][0]
    head = {k: v for k, v in document.items() if k != "pairs"}
    rest = {k: v for k, v in pair.items() if k not in ("cases", "counts")}
    dump = lambda what: json.dumps(what, separators=(",", ":"), ensure_ascii=False)
    cases = ",\n".join(dump(c) for c in pair["cases"])
    return f"{dump(head)[:-1]},\n\"pairs\":[{dump(rest)[:-1]},\n\"cases\":[\n{cases}\n]}}]}}\n"
