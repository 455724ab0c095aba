"""One task, of celery's first steps. CELERY_OPTIONS: settings as JSON, beside celery's defaults."""

import json
import os

from celery import Celery

app = Celery("tasks", broker="redis://db", backend="redis://db")
app.conf.update(json.loads(os.environ.get("CELERY_OPTIONS", "{}")))


@app.task
def add(x, y):
    return x + y
