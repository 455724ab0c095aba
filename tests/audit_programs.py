# Purpose: what `halfopen audit` says of real programs, as their packages set them up, is what their documentation
# says that they set: redis, PostgreSQL behind PgBouncer, nginx with keep-alive, node, and a JVM. Each that is not
# installed is left out. docs/audit.md has the table that this prints.
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from audit_hosts import audit_lines, enter, in_a_world, join, make_host
from lab_helpers import check, wait_until

PATH = "/usr/sbin:/usr/bin:/sbin:/bin:" + ":".join(map(str, pathlib.Path("/usr/lib/postgresql").glob("*/bin")))
in_a_world(with_users=True)
SERVER = "10.0.0.2"
for host in "client", "server":
    make_host(host)
join("client", "server", "10.0.0")
folder = pathlib.Path(tempfile.mkdtemp(dir="/run"))
folder.chmod(0o755)


def have(*programs):
    missing = [p for p in programs if not shutil.which(p, path=PATH)]
    if missing:
        print(f"left out: {', '.join(missing)} not installed")
    return not missing


def run_on(host, *command, **options):
    """Starts a program on that host; its output is kept in a file."""
    log = open(folder / f"{pathlib.Path(command[0]).name}.log", "ab")
    environment = {"PATH": PATH, "HOME": str(folder)}
    return subprocess.Popen(list(map(str, command)), preexec_fn=lambda: enter(host), stdin=subprocess.PIPE, stdout=log,
                            stderr=log, cwd=folder, env=environment, **options)  # fmt: skip


def listens(port):
    def there():
        probe = subprocess.run(["ip", "netns", "exec", "server", "ss", "-Hltn", f"sport = :{port}"], capture_output=True)
        return bool(probe.stdout)

    check(wait_until(there, 60), f"nobody listens at port {port}: {list(folder.glob('*.log'))}")


def options(line):
    o = line["options"]
    if not o["SO_KEEPALIVE"]:
        return None, o["TCP_USER_TIMEOUT"]
    return (o["TCP_KEEPIDLE"], o["TCP_KEEPINTVL"], o["TCP_KEEPCNT"]), o["TCP_USER_TIMEOUT"]


def seen(name, port, opened_by):
    """The connections of programs with that name at that port, of those that opened them or took them."""
    for _ in range(100):
        lines = [line for line in audit_lines("--port", port) if line["kind"] == "connection" and line["process"]
                 and line["process"]["name"].startswith(name) and line["opened_by"] == opened_by
                 and line["state"] == "established"]  # fmt: skip
        if lines:
            return lines
        time.sleep(0.2)
    sys.exit(f"FAILED: no connection of {name} at port {port} was seen")


def expect(what, name, port, opened_by, keepalive, user_timeout=0):
    lines = seen(name, port, opened_by)
    for line in lines:
        check(options(line) == (keepalive, user_timeout), f"{what}: {options(line)}, not {(keepalive, user_timeout)}")
        check(not line["wrong"], f"{what}: a false accusation: {line['wrong']}")
    idle, in_flight = lines[0]["noticed"]["idle"], lines[0]["noticed"]["in_flight"]
    print(f"| {what} | {idle['at_least_s'] or 'never'} | {in_flight['at_least_s']} |")


def redis():
    run_on("server", "redis-server", "--port", 6379, "--bind", SERVER, "--protected-mode", "no", "--save", "")
    listens(6379)
    client = run_on("client", "redis-cli", "-h", SERVER)
    client.stdin.write(b"ping\n")
    client.stdin.flush()
    expect("redis-server", "redis-server", 6379, "peer", (300, 100, 3))
    expect("redis-cli", "redis-cli", 6379, "this_host", (15, 5, 3))


def nginx():
    (folder / "nginx.conf").write_text(f"""
user root; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
        uwsgi_temp_path {folder}; scgi_temp_path {folder};
        server {{ listen 80; }} server {{ listen 81 so_keepalive=30s:10s:3; }} }}""")
    run_on("server", "nginx", "-e", folder / "error.log", "-c", folder / "nginx.conf")
    listens(80)


def node():
    (folder / "get.js").write_text(f"""
const http = require("http");
const kept = new http.Agent({{ keepAlive: true }});
for (const port of [80, 81])
  http.get({{ host: "{SERVER}", port, agent: kept }}, r => {{ r.on("data", () => {{}}); }});
setTimeout(() => {{}}, 1e6);""")
    run_on("client", "node", folder / "get.js")
    expect("node, http.Agent with keepAlive", "node", 80, "this_host", (1, 1, 10))
    expect("nginx", "nginx", 80, "peer", None)
    expect("nginx, so_keepalive=30s:10s:3", "nginx", 81, "peer", (30, 10, 3))


def jvm():
    (folder / "Calls.java").write_text(f"""
public class Calls {{
  public static void main(String[] a) throws Exception {{
    var s = new java.net.Socket("{SERVER}", 80);
    var k = new java.net.Socket("{SERVER}", 81);
    k.setKeepAlive(true);
    Thread.sleep(1000000);
  }}
}}""")
    run_on("client", "java", "-Xmx64m", folder / "Calls.java")
    expect("a JVM's Socket", "java", 80, "this_host", None)
    expect("a JVM's Socket, setKeepAlive(true)", "java", 81, "this_host", (7200, 75, 9))


def postgres():
    """The server refuses to be root, so it is started in a way that it does not know: single steps, as another user."""
    data = folder / "data"
    data.mkdir()
    unprivileged = ["setpriv", "--reuid=1", "--regid=1", "--clear-groups"]
    if subprocess.run([*unprivileged, "true"], capture_output=True).returncode != 0:
        print("left out: PostgreSQL does not run as root, and there is one user only here")
        return False
    os.chown(folder, 1, 1)
    os.chown(data, 1, 1)
    made = run_on("server", *unprivileged, "initdb", "-D", data, "-A", "trust", "-U", "app")
    check(made.wait(200) == 0, f"initdb: {(folder / 'setpriv.log').read_text()}")
    with open(data / "pg_hba.conf", "a") as f:
        f.write("host all all 0.0.0.0/0 trust\n")
    run_on("server", *unprivileged, "postgres", "-D", data, "-h", SERVER, "-k", folder)
    listens(5432)
    psql = run_on("client", "psql", "-h", SERVER, "-U", "app", "postgres")
    expect("psql (libpq)", "psql", 5432, "this_host", (7200, 75, 9))
    expect("postgres", "postgres", 5432, "peer", (7200, 75, 9))
    psql.kill()
    run_on("client", "psql", f"host={SERVER} user=app dbname=postgres keepalives_idle=30 keepalives_interval=10 "
           "keepalives_count=3 tcp_user_timeout=60000")  # fmt: skip
    time.sleep(1)
    expect("psql, keepalives_idle=30 ... tcp_user_timeout=60000", "psql", 5432, "this_host", (30, 10, 3), 60000)
    return True


def pgbouncer():
    (folder / "users.txt").write_text('"app" ""\n')
    (folder / "pgbouncer.ini").write_text(f"""
[databases]
postgres = host={SERVER} port=5432 user=app
[pgbouncer]
listen_addr = 10.0.0.1
listen_port = 6432
auth_type = trust
auth_file = {folder}/users.txt
unix_socket_dir =
""")
    run_on("client", "setpriv", "--reuid=1", "--regid=1", "--clear-groups", "pgbouncer", folder / "pgbouncer.ini")
    asks = run_on("client", "sh", "-c", "sleep 2; exec psql -h 10.0.0.1 -p 6432 -U app postgres")
    asks.stdin.write(b"select 1;\n")
    asks.stdin.flush()
    expect("PgBouncer to PostgreSQL", "pgbouncer", 5432, "this_host", (7200, 75, 9))


print("| program | idle, s | in flight, s |")
if have("redis-server", "redis-cli", "ss"):
    redis()
if have("nginx", "ss"):
    nginx()
    if have("node"):
        node()
    if have("java"):
        jvm()
if have("postgres", "initdb", "psql", "ss") and postgres() and have("pgbouncer"):
    pgbouncer()
