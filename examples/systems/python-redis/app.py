"""Counts visits in Redis. REDIS_OPTIONS: redis-py's options as JSON, beside its defaults."""

import http.server
import json
import os

import redis

db = redis.Redis(host="db", **json.loads(os.environ.get("REDIS_OPTIONS", "{}")))


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        code = 200
        try:
            if self.path == "/visits":
                text = f"visits {db.incr('visits')}"
            elif self.path == "/health":
                text = f"pong {db.ping()}"
            else:
                text = "static"
        except redis.RedisError as error:
            code, text = 503, str(error)
        body = f"{text}\n".encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("", 3000), Handler).serve_forever()
