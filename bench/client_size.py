"""The client's code and data in a program for a board, with MQTT 5.0 and without, by the linker's map; and whether
the program without it works."""

import json
import os
import re
import subprocess

from harness.device import ROOT
from harness.mqtt import Observer, wait_until

# What the issue allows, in bytes.
LIMITS = {"3.1.1": 40 * 1024, "3.1.1 and 5.0": 70 * 1024}
MAPS = {"3.1.1": ".build-arm64-trixie-mqtt3", "3.1.1 and 5.0": ".build-arm64-trixie"}
MODULES = ("MQTTClient", "MQTTCodec")

# A line of an input section: addresses, size, alignment, then the object file with the section's name.
INPUT = re.compile(r"\s*[0-9a-f]+\s+[0-9a-f]+\s+([0-9a-f]+)\s+\d+ {9}(\S.*):\((\S+)\)$")
OUTPUT = re.compile(r"\s*[0-9a-f]+\s+[0-9a-f]+\s+[0-9a-f]+\s+\d+ (\S+)$")
# What takes room in a stripped program or in memory.
LOADED = re.compile(r"\.(text|rodata|data|data\.rel\.ro|bss|init_array|eh_frame|got|swift_modhash)$")


def sections(path):
    """(module, section, bytes) of every piece that is loaded."""
    output = ""
    with open(path) as file:
        for line in file:
            match = OUTPUT.match(line)
            if match:
                output = match[1]
            match = INPUT.match(line)
            if match and LOADED.match(output):
                module = re.search(r"(\w+)\.build/[^/]*$", match[2])
                yield module[1] if module else "", match[3], int(match[1], 16)


def bytes_of(path, modules=MODULES):
    """Bytes in the object files of these modules, and of what other modules made of their generic functions,
    which has their name in its own."""
    names = [f"{kind}{len(module)}{module}" for module in modules for kind in ("$s", "$e")]
    return sum(
        count for module, section, count in sections(path)
        if module in modules or any(name in section for name in names))


def measure(table, results):
    for versions, directory in MAPS.items():
        value = bytes_of(os.path.join(ROOT, directory, "mqtt-bench.map"))
        table.row(f"client code, arm64, {versions}", value, "bytes", LIMITS[versions])
        results.append({"case": f"code on arm64, {versions}", "client": "swiftlet", "metric": "size",
                        "value": value, "unit": "bytes"})


def works(table, program, port, count=200):
    """The program without 5.0 publishes, receives and answers at every QoS, through mosquitto, and refuses to speak
    5.0."""
    for qos in (0, 1, 2):
        for case in (publishes, receives, answers):
            problem = case(program, port, qos, count)
            if problem:
                table.failures.append(f"3.1.1 only, QoS {qos}: {problem}")
    refusal = subprocess.run([program, "pub", str(port), "0", "1", "1", "5"], capture_output=True, text=True)
    if refusal.returncode == 0:
        table.failures.append("a program without 5.0 accepts to speak it")
    table.row("3.1.1 only: messages through mosquitto", 9 * count, "", None, "published, received, answered at QoS 0, 1, 2")


def start(program, *words):
    return subprocess.Popen([program, *map(str, words)], stdout=subprocess.PIPE, text=True)


def finish(process, count):
    """What is wrong with its end, if something is."""
    with process:
        lines = process.stdout.read().splitlines()
    if process.returncode or json.loads(lines[-1])["messages"] != count:
        return f"status {process.returncode}: {lines}"
    return None


def publishes(program, port, qos, count):
    with Observer(port, "bench/pub/t0") as observer:
        problem = finish(start(program, "pub", port, qos, count, 20), count)
        # At QoS 0 one more at QoS 1 ends it.
        wanted = count + (qos == 0)
        wait_until(lambda: len(observer.messages) >= wanted, 10, f"{wanted} messages published at QoS {qos}")
        if any(message.payload != b"x" * 64 for message in observer.messages):
            return "a payload came to harm"
        return problem


def receives(program, port, qos, count):
    with Observer(port, "nothing") as observer:
        process = start(program, "recv", port, count, qos)
        process.stdout.readline()
        for _ in range(count):
            observer.client.publish("bench/rcv/t0", b"x" * 64, qos)
        return finish(process, count)


def answers(program, port, qos, count):
    with Observer(port, "act/1/state") as observer:
        process = start(program, "echo", port, count, qos)
        process.stdout.readline()
        payloads = [b"%d" % number for number in range(count)]
        for payload in payloads:
            observer.client.publish("act/1/set", payload, qos)
        problem = finish(process, count)
        wait_until(lambda: len(observer.messages) >= count, 10, f"{count} answers at QoS {qos}")
        if [message.payload for message in observer.messages] != payloads:
            return "answers are not what was sent, in its order"
        return problem
