"""Puts a job into the queue, and waits for its result: the worker serves nobody, so it is asked through its effect."""

from tasks import add

print(add.delay(1, 2).get(timeout=15))
