# Purpose: epoll_fate tells a refusal, a reset, half a line and a whole one apart.
import socket
import struct
import subprocess
import sys
import threading


def listen():
    listening = socket.create_server(("127.0.0.1", 0))
    return listening, listening.getsockname()[1]


def serve(listening, bytes_sent, reset):
    connection, _ = listening.accept()
    if bytes_sent:
        connection.sendall(bytes_sent)
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


nobody, refused = listen()
nobody.close()
what = {"reset": (b"", True), "half": (b"a line\nhalf a li", False), "whole": (b"a line\n", False)}
ports = {}
for name, how in what.items():
    listening, ports[name] = listen()
    threading.Thread(target=serve, args=(listening, *how), daemon=True).start()

ran = subprocess.run([f"{sys.argv[1]}/epoll_fate", "127.0.0.1", str(refused), *map(str, ports.values())],
                     capture_output=True, text=True, timeout=20)
said = {line.split(":")[0]: line for line in ran.stdout.splitlines() if line.startswith("port ")}
for port, ending in (refused, "refused"), (ports["reset"], "peer_reset"), (ports["half"], "peer_closed"), \
        (ports["whole"], "completed"):
    assert said[f"port {port}"].split(": ")[1].startswith(ending), ran
assert ran.returncode == 1, ran
