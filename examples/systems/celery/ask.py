"""Puts a job into the queue, and waits for its result: the worker serves nobody, so it is asked through its effect.

It never waits for longer than 16 s, also where Redis is silent: what hangs is then the worker, and not celery in here.
"""

import signal
import sys

from tasks import add

signal.signal(signal.SIGALRM, lambda *_: sys.exit("no result within 16 s"))
signal.alarm(16)
print(add.delay(1, 2).get(timeout=15))
