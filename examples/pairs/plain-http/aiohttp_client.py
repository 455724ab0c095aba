"""Two pages on one session, as the manual of aiohttp shows it; an argument is the time limit of each in seconds."""
import asyncio
import sys

import aiohttp


async def main():
    options = {"timeout": aiohttp.ClientTimeout(total=float(sys.argv[1]))} if len(sys.argv) > 1 else {}
    async with aiohttp.ClientSession(**options) as session:
        for number in range(2):
            if number:
                await asyncio.sleep(1)
            async with session.get("http://server/numbers") as reply:
                reply.raise_for_status()
                print(await reply.text(), end="")


asyncio.run(main())
