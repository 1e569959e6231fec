"""Rakit's chat with Python's websockets, whose keepalive Rakit's own server breaks: rakit_client.py PORT"""

import asyncio
import json
import sys

from websockets.asyncio.client import connect

PATIENCE = 30
BEATS = 5


async def scene(url):
    async with connect(url, ping_interval=0.1, ping_timeout=PATIENCE) as client:
        presence = json.loads(await client.recv())
        assert presence["type"] == "presence", presence
        me = presence["users"][-1]["id"]
        for beat in range(BEATS):
            # The answer to a ping carries what the ping carried.
            await (await client.ping(f"beat {beat}"))
            await client.send(json.dumps({"message": beat}))
            message = json.loads(await client.recv())
            assert message == {"client_id": me, "message": json.dumps({"message": beat})}, message
        # The keepalive's own pings are answered too.
        while client.latency == 0:
            await (await client.ping())
            await asyncio.sleep(0)
    assert client.close_code == 1000, client.close_code


asyncio.run(asyncio.wait_for(scene(f"ws://127.0.0.1:{sys.argv[1]}/rakit"), PATIENCE))
print("websockets with keepalive: passed")
