"""examples/systems: services on well-known drivers, of which the judge says what their makers' reports say.

systems_examples NAME [PROGRAM]: the folder; for a compiled one its program. Skipped without the packages.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

from lab_helpers import check, halfopen, need_kernel, skip, temporary_folder

name, program = sys.argv[1], (sys.argv[2:] or [None])[0]
folder = pathlib.Path(__file__).resolve().parent.parent / "examples/systems" / name

# Debian's packages; what must not be missing beside them; and of each settings file the cases that rest on an event,
# and what an ask or the program did in them: load cannot change it.
EXPECTED = {
    "node-ioredis": ("nodejs redis-server", {"halfopen.toml": {"outage/15@app-db": "runs on"}}),
    "node-pg": ("nodejs postgresql-15", {
        "halfopen.toml": {"outage/1@app-db": "ended", "outage/15@app-db": "ended"},
        "cured.toml": {"outage/1@app-db": "runs on", "outage/15@app-db": "runs on"}}),
    "node-redis": ("nodejs redis-server", {
        "halfopen.toml": {"outage/15@app-db": "runs on"}, "cured.toml": {"outage/15@app-db": "runs on"}}),
    "node-mysql2": ("nodejs mariadb-server", {
        "halfopen.toml": {"outage/15@app-db": "runs on"}, "cured.toml": {"outage/15@app-db": "runs on"}}),
    "node-bullmq": ("nodejs redis-server", {"halfopen.toml": {"outage/1@worker-db": "runs on"}}),
    "python-redis": ("python3-redis redis-server", {"halfopen.toml": {"outage/15@app-db": "runs on"}}),
    "celery": ("python3-celery redis-server", {"halfopen.toml": {"outage/1@worker-db": "runs on"}}),
    "psycopg2-pgbouncer": ("python3-psycopg2 pgbouncer postgresql-15", {
        "halfopen.toml": {"outage/15@app-pool": "runs on", "outage/15@pool-db": "runs on"}}),
    "nginx": ("nginx-light", {"halfopen.toml": {"outage/1@proxy-a": "runs on", "outage/1@proxy-b": "runs on"}}),
    "haproxy": ("haproxy", {"halfopen.toml": {"outage/1@proxy-a": "runs on", "outage/1@proxy-b": "runs on"}}),
    "squid": ("squid", {"halfopen.toml": {"outage/1@proxy-backend": "runs on"}}),
    "python-aiohttp": ("python3-aiohttp", {"halfopen.toml": {"outage/15@app-backend": "runs on"}}),
    "amqp-client": ("nodejs rabbitmq-server", {"halfopen.toml": {"outage/15@app-db": "runs on"}}),
    "amqplib": ("nodejs rabbitmq-server", {
        "halfopen.toml": {"outage/1@app-db": "ended"}, "cured.toml": {"outage/1@app-db": "runs on"}}),
    "java-hikaricp": ("default-jdk-headless libhikaricp-java libpostgresql-jdbc-java postgresql-15", {
        "halfopen.toml": {"outage/1@app-db": "runs on"}}),
    "cpp-halfopen": ("redis-server", {
        "halfopen.toml": {"outage/1@app-db": "runs on", "outage/2@app-db": "runs on", "outage/15@app-db": "runs on",
                          "outage/17@app-db": "runs on"}}),
}
packages, files = EXPECTED[name]
for package in packages.split():
    state = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package], capture_output=True, text=True)
    if state.stdout != "installed" and not (package == "nodejs" and shutil.which("node")):
        skip(f"apt-get install {package}")
if (folder / "package.json").exists() and not (folder / "node_modules").exists():
    skip(f"npm install in {folder}")
if name == "java-hikaricp" and not (folder / "build/App.class").exists():
    skip(f"javac -cp /usr/share/java/HikariCP.jar -d build App.java in {folder}")

if name == "squid" and os.geteuid() != 0:
    skip("squid serves as another user than the one that starts it, whom the lab of an ordinary user has not")

clock = "real"
if name == "celery":  # whether kombu takes jobs again depends on which of its lost connections is freed last
    clock = "virtual"
    need_kernel()

results = temporary_folder() / "results.json"
for file, cases in files.items():
    settings = folder / file
    if program:
        settings = results.parent / file
        settings.write_text((folder / file).read_text().replace("../../build/visits", program))
    ran = halfopen("test", "--settings", settings, "--clock", clock, "--case", *cases, "--json", results, cwd=folder,
                   timeout=1100)
    check(ran.returncode in (0, 1, 4), f"{file}: {ran.returncode}\n{ran.stdout}{ran.stderr}")
    for case in json.loads(results.read_text())["pairs"][0]["cases"]:
        alive = [look for look in case["looks"] if look["look"] == "alive"]
        check(alive and alive[0]["outcome"] in (cases[case["id"]], "crashed" if cases[case["id"]] == "ended" else ""),
              f"{file}, {case['id']}: {alive} instead of {cases[case['id']]}\n{ran.stdout}")
        proofs = [c for c in case["checks"] if c["is_proof"]]
        check(proofs and all(c["holds"] for c in proofs) or case["verdict"] == "inconclusive", f"{case['id']}: {proofs}")
        if name == "celery":  # kombu 5.2.4: a worker that has reconnected to Redis takes no task any more
            check(case["verdict"] == "fail", f"{case['id']}: {case['verdict']}\n{ran.stdout}")
        elif cases[case["id"]] == "ended":
            check(case["verdict"] == "fail", f"{case['id']}: {case['verdict']}\n{ran.stdout}")
        else:
            check(case["verdict"] != "fail", f"{file}, {case['id']}: {case['verdict']}\n{ran.stdout}")
