"""Says a number every few ms, and prints what it hears: talker.py URL NAME PACE, until its input ends."""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

url, name, pace = sys.argv[1], sys.argv[2], int(sys.argv[3]) / 1000


def tell(event: object) -> None:
    print(json.dumps(event), flush=True)


async def listen(socket) -> None:
    try:
        async for message in socket:
            print(message, flush=True)
    except ConnectionClosed as closed:
        tell({"closed": str(closed)})


async def main() -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with connect(url, compression=None) as socket:
        tell({"opened": True})
        listening = asyncio.create_task(listen(socket))
        stop = asyncio.create_task(lines.readline())
        number = 0
        while not stop.done():
            await socket.send(json.dumps({"from": name, "number": number}))
            number += 1
            await asyncio.wait([stop], timeout=pace)
        tell({"said": number})
        await lines.read()
        listening.cancel()


asyncio.run(main())
