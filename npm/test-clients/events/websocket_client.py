"""Python's websocket-client, as mock-api-server's guide uses it: websocket_client.py PORT"""

import json
import sys
import threading

import websocket

PATIENCE = 20
received = []


def on_open(ws):
    ws.send(json.dumps({"type": "subscribe", "event": "ticker"}))


def on_message(ws, message):
    received.append(json.loads(message))
    if [message["type"] for message in received].count("event") == 3:
        ws.send(b'{"type": "ping"}', opcode=websocket.ABNF.OPCODE_BINARY)
    if received[-1]["type"] == "pong":
        ws.close()


def on_error(ws, error):
    failures.append(error)


def on_close(ws, close_status_code, close_msg):
    closed.set()


failures = []
closed = threading.Event()
ws = websocket.WebSocketApp(
    f"ws://localhost:{sys.argv[1]}/ws",
    on_open=on_open,
    on_message=on_message,
    on_error=on_error,
    on_close=on_close,
)
threading.Thread(target=ws.run_forever, daemon=True).start()
is_closed = closed.wait(PATIENCE)
assert not failures, failures
assert is_closed, received[:5]
kinds = [message["type"] for message in received]
assert kinds[0] == "connected", kinds
assert "subscribed" in kinds and "event" in kinds, kinds
ticker = next(message for message in received if message["type"] == "event" and message["name"] == "ticker")
assert ticker["data"] == {"symbol": "MOCK", "price": 100.5, "change": 1.25}, ticker
print("websocket-client: passed")
