# Purpose: sum_client gets its sums from sum_server, is told why there is none, and a
# server that SIGTERM ends has said how each connection ended.
import signal
import subprocess
import sys

programs = sys.argv[1]
server = subprocess.Popen([f"{programs}/sum_server", "0"], stdout=subprocess.PIPE, text=True)
try:
    port = server.stdout.readline().removeprefix("listening on port ").strip()

    def ask(*numbers):
        return subprocess.run([f"{programs}/sum_client", "localhost", port, *numbers],
                              capture_output=True, text=True, timeout=20)

    asked = ask("1", "2")
    assert (asked.returncode, asked.stdout) == (0, "3\n"), asked
    asked = ask("-9223372036854775808", "-1")
    assert asked.returncode == 1 and "overflow" in asked.stderr, asked
    assert ask("1", "two").returncode == 2

    server.send_signal(signal.SIGTERM)
    told, _ = server.communicate(timeout=20)
    assert server.returncode == 0, server.returncode
    assert told.count("completed") == 2 and "served 2, cut off 0" in told, told

    # Nobody listens there now.
    asked = ask("1", "2")
    assert asked.returncode == 1 and "refused" in asked.stderr and "retry: safe" in asked.stderr, asked
finally:
    server.kill()
