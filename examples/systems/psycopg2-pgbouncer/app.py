"""Counts visits in PostgreSQL, through PgBouncer. DSN: what libpq is told beside the host and the user. LIMIT: seconds
after which a connection that says nothing has failed; then each visit has a connection of its own, since psycopg2's pool
lets all wait for the one that connects, and PgBouncer is a pool already."""

import contextlib
import http.server
import os
import select

import psycopg2.extensions
import psycopg2.pool

dsn = "host=pool port=6432 user=postgres " + os.environ.get("DSN", "")
limit = float(os.environ.get("LIMIT", "0"))
pool = None if limit else psycopg2.pool.ThreadedConnectionPool(1, 20, dsn)


def wait(connection):
    while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
        reads = state == psycopg2.extensions.POLL_READ
        if not any(select.select([connection] if reads else [], [] if reads else [connection], [], limit)):
            raise psycopg2.OperationalError(f"nothing came within {limit:g} s")


if limit:
    psycopg2.extensions.set_wait_callback(wait)


@contextlib.contextmanager
def cursor():
    connection = pool.getconn() if pool else psycopg2.connect(dsn)
    broken = True
    try:
        with connection, connection.cursor() as c:
            yield c
        broken = False
    finally:
        if pool:
            pool.putconn(connection, close=broken)
        else:
            connection.close()


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
