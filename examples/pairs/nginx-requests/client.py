"""Two pages on one connection, as the manual of requests shows a session; an argument is the time limit in seconds."""
import sys
import time

import requests

timeout = float(sys.argv[1]) if len(sys.argv) > 1 else None
session = requests.Session()
for request in range(2):
    if request:
        time.sleep(0.5)
    reply = session.get("https://server/", verify="../cert.pem", timeout=timeout)
    reply.raise_for_status()
    print(reply.text, end="")
