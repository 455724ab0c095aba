"""What the services depend on: counters and a queue of jobs, in lines, which outlive it in $HALFOPEN_DIR.

ping           pong
count NAME     "NAME 7", one more each time
put            "job 7", at the end of the queue
first          "job 7", the oldest that is not done, and waits up to a second for one; or "nothing to do"
pop            the same, and takes it off the queue
done 7         "done"
state 7        "waiting"; "done", if all before it are too; else "lost": jobs are done in their order
"""

import json
import os
import pathlib
import threading

from lines import AtOnce

PORT = 6379
FILE = pathlib.Path(os.environ.get("HALFOPEN_DIR", "/tmp"), "store.json")


class Store:
    def __init__(self):
        self.changed = threading.Condition()
        self.kept = json.loads(FILE.read_text()) if FILE.exists() else {"counters": {}, "queue": [], "open": []}

    def keep(self):
        """Whole or not at all, whenever it is killed."""
        new = FILE.with_suffix(".new")
        new.write_text(json.dumps(self.kept))
        new.replace(FILE)
        self.changed.notify_all()

    def count(self, name):
        counters = self.kept["counters"]
        counters[name] = counters.get(name, 0) + 1
        self.keep()
        return f"{name} {counters[name]}"

    def put(self):
        job = self.count("job")
        self.kept["queue"].append(job)
        self.kept["open"].append(job)
        self.keep()
        return job

    def first(self):
        self.changed.wait_for(lambda: self.kept["queue"], 1)
        return self.kept["queue"][0] if self.kept["queue"] else "nothing to do"

    def pop(self):
        job = self.first()
        self.kept["queue"] = self.kept["queue"][1:]
        self.keep()
        return job

    def done(self, number):
        for those in (self.kept["queue"], self.kept["open"]):
            if f"job {number}" in those:
                those.remove(f"job {number}")
        self.keep()
        return "done"

    def state(self, number):
        if f"job {number}" in self.kept["open"]:
            return "waiting"
        return "lost" if any(int(job.split()[1]) < int(number) for job in self.kept["open"]) else "done"

    def answer(self, line):
        word, *rest = line.split()
        if word == "ping":
            return "pong"
        with self.changed:
            return getattr(self, word)(*rest)


if __name__ == "__main__":
    AtOnce(PORT, Store().answer).serve_forever()
