"""The scene of every client, with Python's websockets: websockets_client.py ws://127.0.0.1:PORT/api/ws/chat"""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import PerMessageDeflate

PATIENCE = 30


async def send(client, **message):
    await client.send(json.dumps(message))


async def say(client, text, room="python"):
    await send(client, type="message", room=room, username="Ada", text=text)


async def expect(client, kind):
    """The next event of this type; others (a welcome, a farewell) may come before it."""
    while True:
        event = json.loads(await client.recv())
        if event["type"] == kind:
            return event


async def hears(client, text):
    event = await expect(client, "chat-message")
    assert event["text"] == text, f"expected {text[:80]!r}, got {event!r:.200}"


async def scene(url):
    async with connect(url, compression="deflate") as ada, connect(url, compression="deflate") as bob:
        for client in (ada, bob):
            extensions = client.protocol.extensions
            assert any(isinstance(extension, PerMessageDeflate) for extension in extensions), extensions

        await send(ada, type="join-room", room="python", username="Ada")
        await say(ada, "first")
        await hears(ada, "first")
        await send(bob, type="join-room", room="python", username="Bob")
        assert (await expect(ada, "user-joined"))["username"] == "Bob"
        for text in ("short", "long " * 20_000):
            await say(ada, text)
            await hears(ada, text)
            await hears(bob, text)

        await send(bob, type="leave-room", room="python")
        await say(bob, "from outside")
        await hears(ada, "from outside")
        await say(ada, "alone")
        await hears(ada, "alone")
        await send(bob, type="join-room", room="elsewhere", username="Bob")
        await say(bob, "afterwards", room="elsewhere")
        await hears(bob, "afterwards")

        await (await ada.ping())
        for client in (ada, bob):
            await client.close(1000, "done")
            assert client.close_code == 1000, client.close_code


asyncio.run(asyncio.wait_for(scene(sys.argv[1]), PATIENCE))
print("websockets: passed")
