"""Python's phxsocket, which speaks V1: phxsocket_client.py PORT"""

import sys
import threading

import phxsocket

PATIENCE = 20


def reply(message):
    """What the server answers; replies of phxsocket are whole payloads."""
    answer = message.wait_for_response()
    assert answer["status"] == "ok", answer
    return answer["response"]


def scene(port):
    url = f"ws://127.0.0.1:{port}/socket/websocket"
    sockets = [phxsocket.Client(url, {"user_id": name}) for name in ("ann", "bob")]
    ann, bob = rooms = [socket.channel("room:python", {}) for socket in sockets]

    # Listens before it joins: a server that replays does not wait for what another client says.
    heard = threading.Event()
    said = []
    bob.on("shout", lambda payload: (said.append(payload), heard.set()))
    for socket, room in zip(sockets, rooms):
        assert socket.connect()
        assert room.join() == {}
    assert reply(ann.push("time", {}, reply=True)) == {"now": 5}
    assert reply(ann.push("shout", {"text": "hi"}, reply=True)) == {}
    assert heard.wait(PATIENCE) and said == [{"text": "hi"}], said

    kills = sockets[0].channel("killmails:lobby", {"systems": [30000142]})
    assert kills.join()["subscribed_systems"] == [30000142]
    status = reply(kills.push("get_status", {}, reply=True))
    assert status["subscribed_systems"] == [30000142], status
    for socket in sockets:
        socket.close()


scene(sys.argv[1])
print("phxsocket: passed")
