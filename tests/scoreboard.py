# Purpose: the scoreboard's pages hold what was kept and nothing else: each link inside leads somewhere, no script and no
# hostile word gets in, each round is told; a play that was interrupted goes on where it stopped; and the tables in docs/
# are those of the kept results.
import html.parser
import json
import pathlib
import shutil
import subprocess
import sys

from lab_helpers import HALFOPEN, check, skip, temporary_folder

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "scripts/scoreboard"
if subprocess.run(["/usr/bin/python3", "-c", "import markdown"], capture_output=True).returncode != 0:
    skip("python3-markdown is not installed")
sys.path.insert(0, str(ROOT / "scripts"))
import scoreboard_data  # noqa: E402
import scoreboard_tables  # noqa: E402

folder = temporary_folder()
HOSTILE = "</pre></td><script>alert(1)</script>\"'&"
PACKETS = [{"number": 1, "at_ms": 0.0, "from": "client", "to": "server", "flags": ["SYN"]},
           {"number": 2, "at_ms": 0.2, "from": "server", "to": "client", "flags": ["SYN", "ACK"]},
           {"number": 3, "at_ms": 1.0, "from": "client", "to": "server", "flags": ["PSH", "ACK"], "length": 7}]


def case(name, verdict, **more):
    service = name.startswith("outage")
    return {"id": name, "subject": "service" if service else "client", "verdict": verdict, "done": "a deed"} | more


def document(cases, **more):
    pair = {"halfopen": "1", "name": "a pair", "server": "s", "client": "c", "clock": "real", "date": "2026-01-02 03:04 UTC",
            "ip_version": 4, "remarks": [], "repeat": "", "planned": len(cases), "interrupted": False, "cases": cases}
    return {"schema": 2, "halfopen": "1", "pairs": [pair | more]}


hang = case("crash/7", "fail", happened="hangs " + HOSTILE, outcome="hangs", length={"source": "computed", "ends_ms": 924000, "words": ""},
            fault_at_ms=2.0, still_waiting_ms=20000, packets=PACKETS)
rounds = [{"exit/6": "pass", "crash/7": "fail"}, {"exit/6": "fail", "crash/7": "fail"}]
kept = {"first": document([hang, case("exit/6", "fail", happened="another")]) | {"scoreboard": {"rounds": rounds, "played": "2", "machine": HOSTILE}},
        "chain": document([case("outage/1@app-db", "pass"), case("outage/2@app-db", "fail")], clock="virtual"),
        "chain.cured": document([case("outage/1@app-db", "pass"), case("outage/2@app-db", "pass")], clock="virtual")}
(folder / "results").mkdir()
for name, what in kept.items():
    (folder / "results" / f"{name}.json").write_text(json.dumps(what))
(folder / "entries.toml").write_text(f"""
[[entry]]
name = "first"
kind = "pair"
table = "scoreboard.md"
title = 'redis {HOSTILE.replace("'", "")}'
packages = ["redis-server"]
server = "exec redis-server"
client = "redis-cli ping"
cure = "--timeout 10"
cured = {{ server = "exec redis-server --timeout 10" }}
findings = ["scoreboard.md: redis-server 7.0"]
docs = {{ redis = "https://redis.io/docs/" }}
[[entry]]
name = "unplayed"
kind = "pair"
table = "scoreboard.md"
title = "never played"
server = "s"
client = "c"
findings = ["scoreboard.md: nginx 1.22"]
[[entry]]
name = "chain"
kind = "system"
table = "scoreboard-systems.md"
title = "a service"
columns = {{ service = "app-db" }}
folder = "examples/systems/python-redis"
cured = "cured.toml"
""")


def scoreboard(*arguments, program=HALFOPEN):
    return subprocess.run([SCRIPT, "--halfopen", program, "--entries", folder / "entries.toml", "--results", folder / "results",
                           "--pages", folder / "site" / "scoreboard", "--folder", folder / "plays", "--no-tables", *arguments],
                          capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL)


class reader(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.tags = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.add(tag)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes["href"]] if "href" in attributes else []


def checked(site, docs):
    """Every page is whole, and its links lead to what is there; gives {name: text}."""
    texts = {f.name: f.read_text() for f in sorted(site.glob("*.html"))}
    pages = {name: reader(text) for name, text in texts.items()}
    for name, page in pages.items():
        check(not {"script", "img", "iframe", "object"} & page.tags, f"{name}: {page.tags}")
        check(len(set(page.ids)) == len(page.ids), f"{name}: two elements have one id")
        for link in page.links:
            if link.startswith("https://"):
                continue
            file, _, place = link.partition("#")
            if file.startswith("../"):
                check((docs / file[3:]).exists(), f"{name}: {link}")
            elif file.endswith(".css"):
                check((site / file).exists(), f"{name}: {link}")
            else:
                check((file or name) in pages and (not place or place in pages[file or name].ids), f"{name}: {link} leads nowhere")
    if shutil.which("tidy"):
        for name in texts:
            said = subprocess.run(["tidy", "-q", "-e", "--drop-empty-elements", "no", site / name], capture_output=True, text=True).stderr
            errors = [line for line in said.splitlines() if "Error:" in line]
            check(not errors, f"{name}: {errors[:3]}")
    return texts


ran = scoreboard("--render")
check(ran.returncode == 0, f"{ran.returncode}: {ran.stderr}")
texts = checked(folder / "site/scoreboard", ROOT / "docs")
check(set(texts) == {"index.html", "first.html", "unplayed.html", "chain.html"}, f"{set(texts)}")
check("<script" not in "".join(texts.values()) and "&lt;script&gt;" in texts["first.html"], "hostile words are text")
index, first = texts["index.html"], texts["first.html"]
check('aria-label="first, exit/6: pass / fail"' in index and ">·F</a>" in index, "each round has its sign where they differ")
check('aria-label="service, cured, outage/2@app-db: pass"' in index and 'aria-label="service, outage/2@app-db: fail"' in index, "a system's columns")
check("not played yet" in index and "It has not been played yet" in texts["unplayed.html"], "what was not played says so")
check("worker_processes" not in texts["unplayed.html"] and "What it does" not in texts["unplayed.html"], "and nothing is said of it")
check('<svg class="ladder' in first and "still waiting after 20.0 s" in first and "would wait 15 min 24 s (computed)" in first,
      "the worst has its ladder")
check("tcp-keepalive</code> is 300 s" in first and "sudo apt-get install redis-server" in first
      and "halfopen test --name" in first and "exec redis-server --timeout 10" in first and "https://redis.io/docs/" in first,
      "findings, commands, documentation")
(folder / "site/scoreboard/gone.html").write_text("")
scoreboard("--render")
check(not (folder / "site/scoreboard/gone.html").exists(), "the page of an entry that is gone goes too")

# A play that was interrupted goes on where it stopped. This stands for halfopen test, and notes what is asked of it.
log = folder / "asked"
stand_in = folder / "halfopen"
stand_in.write_text(f"""#!/bin/sh
if [ "$1" = report ]; then exec '{HALFOPEN}' "$@"; fi
for word; do case $before in --json) json=$word;; --shard) shard=$word;; esac; before=$word; done
echo "$shard" >>'{log}'
if [ "$shard" = 2/2 ] && [ ! -e '{folder}/again' ]; then exit 130; fi
cp "{folder}/part-${{shard%%/*}}.json" "$json"
echo '1 pass'
""")
stand_in.chmod(0o755)
for number, name in ((1, "exit/6"), (2, "crash/7")):
    (folder / f"part-{number}.json").write_text(json.dumps(document([case(name, "pass")])))
arguments = ["--parts", "2", "--only", "defaults", "unplayed"]
ran = scoreboard(*arguments, program=stand_in)
check(ran.returncode != 0 and "unplayed" in ran.stderr and not (folder / "results/unplayed.json").exists(), f"{ran.returncode}: {ran.stderr}")
(folder / "again").touch()
ran = scoreboard(*arguments, program=stand_in)
check(ran.returncode == 0, f"{ran.returncode}: {ran.stdout}{ran.stderr}")
check(log.read_text().split() == ["1/2", "2/2", "2/2"], f"asked: {log.read_text().split()}")
both = json.loads((folder / "results/unplayed.json").read_text())
check([c["id"] for c in both["pairs"][0]["cases"]] == ["exit/6", "crash/7"], "both parts are kept")
check(scoreboard("nobody").returncode == 2 and "--list" in scoreboard("nobody").stderr, "an unknown name is a usage error")

# What is in the repository.
listed = scoreboard_data.entries()
of_all = scoreboard_data.results(listed)
before = {page: (ROOT / "docs" / page).read_text() for page in {e.table for e in listed.values()}}
copies = temporary_folder()
for page, text in before.items():
    (copies / "docs").mkdir(exist_ok=True)
    (copies / "docs" / page).write_text(text)
scoreboard_tables.ROOT = copies
scoreboard_tables.write_all(listed, of_all)
for page, text in before.items():
    check((copies / "docs" / page).read_text() == text, f"docs/{page} has other tables than its kept results: scripts/scoreboard --render")
for e in listed.values():
    check(not e.folder or (ROOT / e.folder).is_dir(), f"{e.name}: no folder {e.folder}")
    check(not isinstance(e.cured, str) or not e.cured or (ROOT / e.folder / e.cured).exists(), f"{e.name}: no {e.cured}")
checked(ROOT / "docs/scoreboard", ROOT / "docs")
size = sum(f.stat().st_size for f in (ROOT / "docs/scoreboard").rglob("*") if f.is_file())
check(size < 3 << 20, f"docs/scoreboard has {size} bytes; keep less of each result (scripts/scoreboard_data.py)")
