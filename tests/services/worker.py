"""A worker that serves nobody: takes jobs from the store's queue and does them. Right, or with one defect.

worker.py STORE [DEFECT]
"""

import sys
import time

from service import Right


class Worker(Right):
    """does a job, and then takes it off the queue"""

    limit = 3  # the store itself waits a second for a job
    take_word = "first"

    def work(self):
        while True:
            try:
                word, *number = self.ask_store(self.take_word).split()
                if word == "job":
                    self.ask_store(f"done {number[0]}")
            except OSError:
                time.sleep(self.pause)


class Drops(Worker):
    """takes a job off the queue before it is done"""

    take_word = "pop"


class WaitsWithoutLimit(Worker):
    """waits for the next job without a limit"""

    limit = None


class DiesOfAnyFailure(Worker):
    """ends when the store is away"""

    def failed(self, why):
        sys.exit(1)


if __name__ == "__main__":
    store, chosen = sys.argv[1], (sys.argv[2:] or ["Worker"])[0]
    globals()[chosen](store).work()
