# asyncio: the transport's socket is get_extra_info("socket"); the exception has the errno. It asks a line and reads one.
#
#     python3 with_asyncio.py 127.0.0.1 7          (Debian: python3-halfopen)
import asyncio
import sys

from halfopen import fate, liveness


async def main(host, port):
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError as e:
        print(fate.diagnose(None, e, during="connect"))
        return 1
    sock = writer.get_extra_info("socket")
    liveness.set_liveness(sock, 10)  # a dead peer is noticed within 10 s
    came = b""
    try:
        writer.write(b"ask\n")
        await writer.drain()
        while not came.endswith(b"\n"):
            more = await reader.read(100)
            if not more:
                raise EOFError
            came += more
    except (OSError, EOFError) as e:
        # asyncio closes the socket by itself after an error: then the exception alone tells.
        print(fate.diagnose(sock, e, when="receiving_reply" if came else "awaiting_reply"))
        return 1
    finally:
        writer.close()
    return 0


sys.exit(asyncio.run(main(sys.argv[1], int(sys.argv[2]))))
