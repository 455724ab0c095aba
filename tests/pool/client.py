"""A client with a pool of four connections, which are opened in another order each time. Each asks, pauses, and asks
again; the replies are printed in the order of the requests. Arguments: how, host, port.

own            each connection has work of its own, and reports what fails within two seconds
shared         they take their work from one queue: who asks what is chance
third-waits    as own, but one of the four waits for its reply without a limit
"""

import queue
import random
import socket
import sys
import threading
import time

HOW, HOST, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])
CONNECTIONS = 4
replies: dict[str, str] = {}
failed: list[str] = []


def ask(connection, text):
    connection.sendall(f"{text}\n".encode())
    got = b""
    while not got.endswith(b"\n"):
        more = connection.recv(1000)
        if not more:
            raise OSError(f"{text}: the server has closed the connection")
        got += more
    replies[text] = got.decode()


def work(number, jobs, start):
    limit = None if HOW == "third-waits" and number == 3 else 2
    try:
        start.wait()
        time.sleep(random.random() / 50)
        with socket.create_connection((HOST, PORT), 2) as connection:
            connection.settimeout(limit)
            while True:
                ask(connection, jobs.get_nowait())
                time.sleep(0.5)
    except queue.Empty:
        pass
    except OSError as error:
        failed.append(str(error))


shared = queue.SimpleQueue()
threads, barrier = [], threading.Barrier(CONNECTIONS)
for number in range(1, CONNECTIONS + 1):
    jobs = shared if HOW == "shared" else queue.SimpleQueue()
    for turn in ("first", "second"):
        # Connection 2 says most.
        jobs.put(f"{turn} request of {number}" + (" and a little more" if number == 2 else ""))
    threads.append(threading.Thread(target=work, args=(number, jobs, barrier)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for text in sorted(replies):
    print(replies[text], end="")
if failed or len(replies) < 2 * CONNECTIONS:
    sys.exit("; ".join(failed))
