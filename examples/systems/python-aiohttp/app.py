"""Asks an HTTP backend for every visit, with aiohttp's client and its pool. TIMEOUT: aiohttp's ClientTimeout as JSON."""

import json
import os

import aiohttp
from aiohttp import web


async def session(app):
    limits = json.loads(os.environ.get("TIMEOUT", "null"))
    options = {"timeout": aiohttp.ClientTimeout(**limits)} if limits else {}
    app["backend"] = aiohttp.ClientSession("http://backend:8080", **options)
    yield
    await app["backend"].close()


async def visits(request):
    try:
        async with request.app["backend"].get("/") as answer:
            return web.Response(text=await answer.text())
    except (aiohttp.ClientError, TimeoutError) as error:
        return web.Response(status=503, text=f"{type(error).__name__} {error}\n")


async def static(request):
    return web.Response(text="static\n")


app = web.Application()
app.cleanup_ctx.append(session)
app.add_routes([web.get("/visits", visits), web.get("/", static)])
web.run_app(app, port=3000, print=None)
