"""paho-python, driven by its own loop() in one thread."""

import json
import sys
import time

import paho.mqtt.client as paho

TOPICS = {"pub": "bench/pub/t0", "recv": "bench/rcv/t0", "echo": "act/1/set"}


def main(what, port, *words):
    numbers = [int(word) for word in words]
    qos, count = (numbers[0], numbers[1]) if what == "pub" else (numbers[1] if len(numbers) > 1 else 0, numbers[0])
    window = numbers[2] if what == "pub" else 20
    version = getattr(paho, "CallbackAPIVersion", None)
    client = paho.Client(*([version.VERSION1] if version else []), client_id="paho-python-bench")
    client.max_inflight_messages_set(window)
    state = {"done": 0, "ready": False}

    def received(_client, _data, message):
        state["done"] += 1
        if what == "echo":
            client.publish("act/1/state", message.payload, qos)

    def subscribed(*_):
        state["ready"] = True
        print("READY", flush=True)

    client.on_message = received
    client.on_subscribe = subscribed
    client.on_publish = lambda *_: state.__setitem__("done", state["done"] + 1)
    client.connect("127.0.0.1", int(port), 600)
    while not client.is_connected():
        client.loop(1)

    def publish(qos, count, window):
        sent, state["done"] = 0, 0
        while state["done"] < count:
            while sent < count and sent - state["done"] < window:
                client.publish("bench/pub/t0", b"x" * 64, qos)
                sent += 1
            client.loop(1)

    begin = time.monotonic()
    if what == "pub":
        publish(qos, count, window)
        if not qos:
            publish(1, 1, 1)
    elif what == "idle":
        print("READY", flush=True)
        while time.monotonic() - begin < count:
            client.loop(1)
    else:
        client.on_publish = None
        client.subscribe(TOPICS[what], qos)
        while not state["ready"]:
            client.loop(1)
        begin = time.monotonic()
        while state["done"] < count:
            client.loop(1)
        while client.want_write():
            client.loop(1)
    seconds = time.monotonic() - begin
    print(json.dumps({"case": what, "qos": qos, "messages": count, "seconds": seconds,
                      "per_second": round(count / seconds)}), flush=True)
    client.disconnect()


main(*sys.argv[1:])
