"""Two pages with one client, as the manual of httpx shows it."""
import time

import httpx

with httpx.Client() as client:
    for number in range(2):
        if number:
            time.sleep(1)
        reply = client.get("http://server/numbers")
        reply.raise_for_status()
        print(reply.text, end="")
