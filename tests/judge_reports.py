# Purpose: the judge's reports, whole: a pair whose client says hostile things is judged in two
# shards, the shards are merged with another pair, and each format is read by its own reader.
import json
import pathlib
import shlex
import subprocess
import xml.etree.ElementTree

from lab_helpers import HALFOPEN, check, halfopen, shutil, skip, temporary_folder

folder = temporary_folder()
cases = ["exit/6", "exit/7", "connect/1", "shutdown/1"]
hostile = r"printf '\033[2J\001\377</pre></title><script>alert(1)</script>]]>\n';"
server = shlex.quote(HALFOPEN) + " serve echo --pair {} --listen 0.0.0.0"
client = "echo one | " + shlex.quote(HALFOPEN) + " call echo --pair {} server"


def judge(kind, json_file, *options):
    return halfopen("test", "--server", server.format(kind), "--client", hostile + client.format(kind), "--name",
                    kind, "--limit", "3", "--case", *cases, "--json", folder / json_file, *options)


def harmless(text, what):
    bad = [c for c in text if (ord(c) < 0x20 and c != "\n") or c == "\x7f"]
    check(not bad, f"{what} has control characters: {bad[:5]}")


first = judge("naive", "1.json", "--shard", "1/2", "--junit", folder / "1.xml", "--html", folder / "1.html")
second = judge("naive", "2.json", "--shard", "2/2", "--strict")
other = judge("robust", "3.json")
for ran, ids in (first, cases[0::2]), (second, cases[1::2]), (other, cases):
    check(ran.returncode in (0, 1), f"exit code {ran.returncode}: {ran.stderr}")
    harmless(ran.stdout + ran.stderr, "the terminal")
    for one in ids:
        check(f"] {one} " in ran.stderr, f"no line for {one} as it finished: {ran.stderr}")
        check(f"  {one} " in ran.stdout, f"the table has no {one}: {ran.stdout}")

# A failure's command, pasted into a shell, does the same again.
failed = next(ran for ran in (first, second) if "exit/7 client: fail" in ran.stdout)
repeat = failed.stdout.split("exit/7 client: fail")[1].split("  repeat      ")[1].splitlines()[0]
check("--limit 3" in repeat and repeat.endswith("--case exit/7"), repeat)
again = subprocess.run(["/bin/sh", "-c", repeat], capture_output=True, text=True, timeout=100, cwd="/",
                       stdin=subprocess.DEVNULL)
check(again.returncode == 1 and "exit/7 client: fail" in again.stdout, f"{repeat}: {again.stdout} {again.stderr}")
check("1 fail\n" in again.stdout, again.stdout)

merged = halfopen("report", "merge", *(folder / f"{n}.json" for n in "1231"), "--json", folder / "all.json",
                  "--junit", folder / "all.xml", "--html", folder / "all.html", "--badge", folder / "all.svg",
                  "--annotations", folder / "all.txt")
check(merged.returncode == 1, f"merge: {merged.returncode} {merged.stderr}")
check([line.split(":")[0] for line in merged.stdout.splitlines()] == ["naive", "robust"], merged.stdout)
harmless((folder / "all.txt").read_text(), "the annotations")
annotated = (folder / "all.txt").read_text().splitlines()
check(annotated and all(line.startswith("::") and "title=" in line for line in annotated), annotated)
check(" fail</text>" in (folder / "all.svg").read_text(), "the badge counts what failed")
xml.etree.ElementTree.parse(folder / "all.svg")
pairs = json.loads((folder / "all.json").read_text())["pairs"]
schema = json.loads((pathlib.Path(__file__).resolve().parent.parent / "docs" / "report.schema.json").read_text())
try:
    import jsonschema
except ImportError:
    jsonschema = None
    print("not compared with docs/report.schema.json: python3-jsonschema is not there")
else:
    for name in ("1", "2", "3", "all"):
        jsonschema.validate(json.loads((folder / f"{name}.json").read_text()), schema)
    wrong = json.loads((folder / "1.json").read_text())
    wrong["pairs"][0]["cases"][0]["verdict"] = "guilty"
    check(not jsonschema.Draft202012Validator(schema).is_valid(wrong), "the schema refuses what is none")
for pair in pairs:
    check([c["id"] for c in pair["cases"]] == ["exit/6", "exit/7", "shutdown/1", "connect/1"],
          f"{pair['name']}: the catalogue's order, each once")
    for case in pair["cases"]:
        check(all(case[key] for key in ("rule", "done", "expected", "happened")), f"all is said of {case['id']}")
        check(case["checks"], f"{case['id']} has checks")
        check(case["packets"] or case["id"] == "shutdown/1", f"{case['id']} has packets")
said = [out["stdout"] for c in pairs[0]["cases"] for out in c["outputs"] if out["program"] == "client"]
check(any("\x1b[2J\x01\ufffd</pre>" in text for text in said), f"outputs are kept: {said}")

for name in "1.html", "all.html":
    page = (folder / name).read_text()
    harmless(page, name)
    check("<script" not in page, f"{name}: a script of the client's")
    check("<svg" in page and "ladder-fault" in page, f"{name}: ladders with the fault marked")
for n in "1", "2":
    alone = halfopen("report", "merge", folder / f"{n}.json")
    check(alone.returncode in (1, 4) and "missing shards of 2" in alone.stdout, f"shard {n} alone: {alone.stdout}")

# A system: a proxy of lines that cannot be served without the server behind it.
(folder / "proxy.py").write_text("""import socket, socketserver, sys


class handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            with socket.create_connection((sys.argv[1], 7007), 2) as upstream:
                upstream.settimeout(2)
                upstream.sendall(line)
                self.wfile.write(upstream.makefile("rb").readline())


socketserver.ThreadingTCPServer.request_queue_size = 64
socketserver.ThreadingTCPServer(("0.0.0.0", 7007), handler).serve_forever()
""")
ran = halfopen("test", "--server", server.format("naive"), "--service", f"exec python3 {folder}/proxy.py server",
               "--probe", "echo one | " + shlex.quote(HALFOPEN) + " call echo --pair naive service", "--clock", "real",
               "--limit", "5", "--case", "outage/1", "outage/2", "--json", folder / "system.json", "--junit",
               folder / "system.xml", "--html", folder / "system.html")
check(ran.returncode in (0, 1, 4), f"system: {ran.returncode} {ran.stderr}")
system = json.loads((folder / "system.json").read_text())
check([h["name"] for h in system["pairs"][0]["hosts"]] == ["server", "service"], system["pairs"][0]["hosts"])
played = system["pairs"][0]["cases"]
told = [case for case in played if case["verdict"] != "inconclusive"]  # a busy machine may know nothing of some
check(told, f"one case at least has a verdict: {[case['reason'] for case in played]}")
for case in told:
    check(case["id"].endswith("@service-server") and case["subject"] == "service", case["id"])
    check(case["asks"] and case["looks"] and case["connections"] and "back_after_ms" in case, f"facts: {case}")
if jsonschema is not None:
    jsonschema.validate(system, schema)
page = (folder / "system.html").read_text()
check(page.count('role="img"') >= 2 * len(told), "a timeline and a ladder a case")
ran = halfopen("report", "merge", folder / "system.json", folder / "all.json", "--html", folder / "both.html", "--json",
               folder / "both.json")
check(len(json.loads((folder / "both.json").read_text())["pairs"]) == 3, "a system beside two pairs")
check(played[0]["id"] in (folder / "both.html").read_text(), "in one matrix")

(folder / "bad.json").write_text('{"pairs": [')
(folder / "other.json").write_text("{}")
for file, words in ("bad.json", "no JSON"), ("other.json", "no report"), ("missing.json", "No such file"), (".", "folder"):
    ran = halfopen("report", "merge", folder / "1.json", folder / file, "--json", folder / "never.json")
    check(ran.returncode == 2 and words in ran.stderr and str(folder / file) in ran.stderr, f"{file}: {ran.returncode} {ran.stderr}")
    check(not (folder / "never.json").exists(), "nothing is written of half the reports")

if shutil.which("xmllint") is None:
    skip("xmllint is not installed (libxml2-utils)")
schema = pathlib.Path(__file__).with_name("junit.xsd")
for name in "1.xml", "all.xml", "system.xml":
    ran = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", schema, folder / name], capture_output=True,
                         text=True, timeout=60)
    check(ran.returncode == 0, f"{name}: {ran.stderr}")
