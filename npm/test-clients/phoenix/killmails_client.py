"""Python's websockets, as the killmail server's own Python client uses it: objects with numbers as refs, on the
version of arrays. killmails_client.py PORT"""

import asyncio
import json
import sys

import websockets

PATIENCE = 20


async def ask(websocket, event, payload, ref):
    message = {"topic": "killmails:lobby", "event": event, "payload": payload, "ref": ref}
    await websocket.send(json.dumps(message))
    answer = json.loads(await websocket.recv())
    assert (answer["event"], answer["ref"]) == ("phx_reply", ref), answer
    assert answer["payload"]["status"] == "ok", answer
    return answer["payload"]["response"]


async def scene(port):
    uri = f"ws://localhost:{port}/socket/websocket?vsn=2.0.0&client_identifier=my_app_name"
    websocket = await websockets.connect(uri)
    joined = await ask(websocket, "phx_join", {"systems": [30000142, 30002187]}, 1)
    assert joined["subscribed_systems"] == [30000142, 30002187], joined
    answer = await ask(websocket, "subscribe_systems", {"systems": [30000144]}, 2)
    assert answer == {"subscribed_systems": [30000142, 30000144, 30002187]}, answer
    status = await ask(websocket, "get_status", {}, 3)
    assert status["user_id"].startswith("my_app_name_"), status
    await websocket.send(json.dumps({"topic": "phoenix", "event": "heartbeat", "payload": {}, "ref": 4}))
    assert json.loads(await websocket.recv())["ref"] == 4
    await websocket.close()


asyncio.run(asyncio.wait_for(scene(sys.argv[1]), PATIENCE))
print("websockets, with objects: passed")
