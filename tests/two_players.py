"""The verdict does not depend on who plays the peer: with the recording, and with the real program that is stopped at a
byte, each case of each pair comes out the same. What need not is listed with its reason (docs/judge.md, "The two players
differ"). Arguments: names of pairs; none: all whose programs are installed."""

import json
import shutil
import sys

from lab_helpers import HALFOPEN, check, judged

NGINX = """
cd $HALFOPEN_DIR && mkdir -p www && seq 1000 >www/numbers
cat >nginx.conf <<'...'
daemon off; user root; worker_processes 2; pid nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server { listen 80; root www; }
}
...
exec nginx -p $HALFOPEN_DIR -c nginx.conf -e stderr"""

MEMCACHED_CLIENT = f"""exec {sys.executable} -c '
import socket, time
server = socket.create_connection(("server", 11211))
def ask(text, until):
    server.sendall(text)
    got = b""
    while not got.endswith(until):
        more = server.recv(4096)
        if not more:
            raise SystemExit("the server has closed the connection")
        got += more
    print(got.decode(), end="")
ask(b"set key 0 0 5\\r\\nvalue\\r\\n", b"\\r\\n")
time.sleep(0.8)
ask(b"get key\\r\\n", b"END\\r\\n")'"""

# Name: what it needs, the server, the client.
PAIRS = {
    "sum robust": ((), f"exec {HALFOPEN} serve sum --listen 0.0.0.0", f"echo 1 2 | {HALFOPEN} call sum server"),
    "echo robust": ((), f"exec {HALFOPEN} serve echo --listen 0.0.0.0",
                    f"(echo one; sleep 0.8; echo two) | {HALFOPEN} call echo server"),
    "echo naive": ((), f"exec {HALFOPEN} serve echo --pair naive --listen 0.0.0.0",
                   f"(echo one; sleep 0.8; echo two) | {HALFOPEN} call echo --pair naive server"),
    "redis": (("redis-server", "redis-cli"), "exec redis-server --protected-mode no --save '' --dir $HALFOPEN_DIR",
              "redis-cli -h server -r 2 -i 0.8 ping"),
    "memcached": (("memcached",), "exec memcached -u root", MEMCACHED_CLIENT),
    "nginx": (("nginx", "curl"), NGINX, "curl -fsS --rate 75/m http://server/numbers http://server/numbers"),
}

# Of every pair: only who invents bytes can play these.
NEEDS_A_RECORDING = {"format/3": "two requests in one segment: a program asks once",
                     "format/6": "a length that no program says"}
ALWAYS_A_RECORDING = {"connect/5"}  # a listener that never accepts: no program is like that
# Pair, case: why the two verdicts differ.
MAY_DIFFER = {
    ("echo naive", "overload/3"): "a program asks once, and the buffers take one reply: nobody has to wait for it",
}

# Nobody is accused, and nobody acquitted, by a case of which the machine was too busy.
SAYS_NOTHING = ("too busy", "unconfirmed")


# A client's own keepalive of 15 s, which a busy machine's limit of 5 s may include or not.
LIMIT = {"redis": 20}


def play(name, server, client, peer):
    """{id: result}, played by that peer where the case leaves a choice."""
    return {c["id"]: c for c in judged(server, client, "--peer", peer, "--limit", LIMIT.get(name, 5), "--grace", 5,
                                       "--clock", "real")}


def in_words(case):
    return f"{case['verdict']}, {case.get('outcome', '')}: {case['happened'] or case['reason']}"


def differences(name, recording, program):
    """A line for each case that comes out otherwise, and should not."""
    for case in sorted(recording.keys() | program.keys()):
        if case not in recording or case not in program:
            yield f"{case}: played by one of the two only"
            continue
        one, other = recording[case], program[case]
        if one["verdict"] == other["verdict"]:
            continue
        if one.get("obstacle") in SAYS_NOTHING or other.get("obstacle") in SAYS_NOTHING:
            print(f"  {case}: {in_words(one)} / {in_words(other)}")
            continue
        if case in NEEDS_A_RECORDING and other.get("obstacle") == "no replay":
            continue
        if (name, case) not in MAY_DIFFER:
            yield f"{case}: recording: {in_words(one)}; program: {in_words(other)}"


wrong = played = 0
for name, (needs, server, client) in PAIRS.items():
    if sys.argv[1:] and name not in sys.argv[1:]:
        continue
    if missing := [program for program in needs if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]:
        print(f"{name}: {', '.join(missing)} is not installed")
        continue
    recording, program = (play(name, server, client, peer) for peer in ("recording", "program"))
    check({c["peer"] for c in recording.values()} >= {"recording"}, f"{name}: the recording played nothing")
    played_back = {case for case, result in program.items() if result["peer"] == "recording"} - ALWAYS_A_RECORDING
    check(not played_back, f"{name}: {played_back}")
    found = list(differences(name, recording, program))
    wrong += len(found)
    played += 1
    print(f"{name}: {len(recording)} cases twice{'' if found else ', as they shall be'}", *found, sep="\n  ", flush=True)
check(played > 0, f"no such pair: {sys.argv[1:]}")
check(wrong == 0, f"{wrong} cases differ")
