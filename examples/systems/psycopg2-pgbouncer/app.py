"""Counts visits in PostgreSQL, through PgBouncer. DSN: what libpq is told beside the host and the user."""

import contextlib
import http.server
import os

import psycopg2.pool

pool = psycopg2.pool.ThreadedConnectionPool(1, 20, "host=pool port=6432 user=postgres " + os.environ.get("DSN", ""))


@contextlib.contextmanager
def cursor():
    connection = pool.getconn()
    broken = True
    try:
        with connection, connection.cursor() as c:
            yield c
        broken = False
    finally:
        pool.putconn(connection, close=broken)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        code, text = 200, "static"
        try:
            if self.path == "/visits":
                with cursor() as c:
                    c.execute("create table if not exists visits (at timestamptz not null default now())")
                    c.execute("insert into visits default values")
                text = "counted"
            elif self.path == "/health":
                with cursor() as c:
                    c.execute("select 1")
                text = "ok"
        except (psycopg2.Error, psycopg2.pool.PoolError) as error:
            code, text = 503, str(error)
        body = f"{text}\n".encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("", 3000), Handler).serve_forever()
