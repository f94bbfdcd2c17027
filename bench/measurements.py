"""What is measured: each function starts the program afresh and answers figures."""

import os
import re
import socket
import struct
import time

from harness.device import Device, configuration
from harness.fake_broker import FakeBroker, PUBLISH, Wire, packet, publish
from harness.mqtt import wait_until

PREFIX = "swiftlet/bench"
FAN = f"{PREFIX}/fan/set"
RELAY = "  - relay: fan\n    line: GPIO9\n"
# Every kind of sensor at its shortest period in ms, and as many buses as it takes to make ten thousand readings
# in some twenty seconds.
BUSES = 8
SENSORS = [
    ("SHT3x", 0x44, 100), ("SHT3x", 0x45, 100), ("BMP280", 0x76, 100), ("DPS310", 0x77, 100),
    ("TMP105", 0x48, 500), ("LM75", 0x4A, 500)]


class Client(Wire):
    """A subscriber and publisher without an MQTT library's own delays."""

    def __init__(self, port, topic):
        super().__init__(socket.create_connection(("127.0.0.1", port), timeout=10))
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = b"bench-observer"
        self.send(packet(0x10, b"\0\4MQTT\4\2\0\0" + struct.pack(">H", len(name)) + name))
        self.expect(2)
        self.send(packet(0x82, b"\0\1" + struct.pack(">H", len(topic)) + topic.encode() + b"\0"))
        self.expect(9)


def many_sensors(directory):
    """A simulated board with many buses, and modules on all of them."""
    os.makedirs(directory, exist_ok=True)
    buses = "".join(f"  - {{ bus: i2c-{bus} }}\n" for bus in range(BUSES))
    with open(os.path.join(directory, "simulator.yaml"), "w") as file:
        file.write(
            "board: simulator\ntitle: many buses\nsimulated: on\nchip: simulator\n"
            f"lines:\n  - {{ line: GPIO9, pin: 21, pull: down }}\nbuses:\n{buses}")
    return RELAY + "".join(
        f"  - sensor: s{bus}-{index}\n    driver: {driver}\n    bus: i2c-{bus}\n    address: {address:#x}\n"
        f"    every: {period}ms\n"
        for bus in range(BUSES) for index, (driver, address, period) in enumerate(SENSORS))


def told_of(text):
    """The same device, which Home Assistant is told of."""
    return text.replace("modules:", "home_assistant: yes\nmodules:", 1)


def readings_allocate(counters, port, directory, wanted, trace=False):
    """Readings published, heap allocations meanwhile, the program's log, how fast it was."""
    boards = os.path.join(directory, "boards")
    text = told_of(configuration(f"mqtt://127.0.0.1:{port}", many_sensors(boards)))
    with Client(port, f"{PREFIX}/+/+") as observer, \
            Device(text, variables=counters.variables, boards=boards) as device:
        def receive(count):
            while count:
                found = observer.expect(PUBLISH)
                if re.search("/(temperature|humidity|pressure)$", found.topic):
                    count -= 1
        device.wait_log("online")
        # The first conversions, and what the first seconds bring.
        receive(BUSES * len(SENSORS) * 10)
        before, begin = counted(counters), time.monotonic()
        counters.trace(trace)
        receive(wanted)
        counters.trace(False)
        allocations = counters.allocations - before
        rate = wanted / (time.monotonic() - begin)
        check_well(device)
        note = f"{rate:.0f} a second from {BUSES * len(SENSORS)} sensors"
        return wanted, allocations, device.log.splitlines(), note


def counted(counters):
    """Allocations so far: every program makes some when it starts, so none means that nothing is counted."""
    if not counters.allocations:
        raise RuntimeError("the allocation counter is not loaded")
    return counters.allocations


# Nine commands that are obeyed, and one of each kind that is not.
PAYLOADS = [b"ON", b"OFF", b"TOGGLE"] * 3 + [b"bright", b"x" * 600, b"x" * 6000, b'"\\\xff']


def commands_allocate(counters, port, wanted, trace=False):
    """Commands sent and answered, heap allocations meanwhile, the program's log."""
    with Client(port, f"{PREFIX}/fan/result") as client, \
            Device(told_of(configuration(f"mqtt://127.0.0.1:{port}", RELAY)), variables=counters.variables) as device:
        wait_for_obedience(client)
        pump(client, 1300)
        before = counted(counters)
        counters.trace(trace)
        pump(client, wanted)
        counters.trace(False)
        allocations = counters.allocations - before
        check_well(device, rejections=True)
        return wanted, allocations, device.log.splitlines()


def wait_for_obedience(client):
    """Until the device has subscribed: it answers."""
    for _ in range(100):
        client.send(publish(FAN, b"OFF"))
        try:
            client.expect(PUBLISH, f"{PREFIX}/fan/result", timeout=0.1)
            return drain(client, 0.3)
        except TimeoutError:
            pass
    raise TimeoutError("no command is answered")


def pump(client, count):
    """Sends commands of every kind at QoS 1 and waits for all their results."""
    sent = 0
    while sent < count:
        burst = range(sent, min(sent + len(PAYLOADS), count))
        client.send(b"".join(
            publish(FAN, PAYLOADS[number % len(PAYLOADS)], qos=1, packet_id=number % 65535 + 1)
            for number in burst))
        for _ in burst:
            client.expect(PUBLISH, f"{PREFIX}/fan/result")
        sent += len(burst)


def check_well(device, rejections=False):
    """Nothing that would make the figures meaningless has been logged."""
    bad = [line for line in device.log.splitlines()
           if re.search("offline|error:|lost", line) or not rejections and "rejected" in line]
    if bad or not device.is_running:
        raise RuntimeError("the device is not well:\n" + "\n".join(bad or device.log.splitlines()[-5:]))


def memory(port, text, commands):
    """kB in use after the connection was made, after that many commands, and the most so far."""
    with Client(port, f"{PREFIX}/fan/result") as client, Device(text) as device:
        wait_for_obedience(client)
        time.sleep(1)
        connected = device.memory()
        pump(client, commands)
        return connected, device.memory(), device.memory("VmHWM")


def switches(pid):
    """How often the program's threads went to sleep: each wake-up is one."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status") as file:
            total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M)[1])
    return total


def wake_ups(seconds, period, keep_alive):
    """Wake-ups of an idle device with one sensor, and how many of them its sensor and keep alive explain.

    The broker is a stub in this process, so that both sides are seen: every reading and every PINGREQ that
    came counts. A reading takes the loop four times (due, conversion begun, conversion over, result) and the
    bus's thread twice; a PINGREQ twice (due, answered).
    """
    with FakeBroker() as broker, Device(configuration(
            f"{{ url: 'mqtt://127.0.0.1:{broker.port}', keep_alive: {keep_alive}s }}",
            f"{RELAY}  - sensor: air\n    driver: SHT3x\n    bus: i2c-1\n    every: {period}s\n")) as device:
        broker.accept()
        broker.expect(PUBLISH, f"{PREFIX}/air/humidity")
        # The first reading's other messages, and half a pause, so that no reading is cut in two.
        drain(broker, min(2, period / 2))
        before, begin = switches(device.process.pid), time.monotonic()
        readings = pings = 0
        while time.monotonic() < begin + seconds:
            try:
                found = broker.read(max(0.001, begin + seconds - time.monotonic()))
            except TimeoutError:
                break
            readings += found.type == PUBLISH and found.topic.endswith("/humidity")
            pings += found.type == 12
        return switches(device.process.pid) - before, readings, pings, 6 * readings + 2 * pings


def drain(wire, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            wire.read(max(0.001, deadline - time.monotonic()))
        except TimeoutError:
            return


def latency(port, count):
    """Seconds from a command's publication to its result, sorted, through the broker; one at a time."""
    with Client(port, f"{PREFIX}/fan/result") as client, \
            Device(configuration(f"mqtt://127.0.0.1:{port}", RELAY)):
        wait_for_obedience(client)
        return timed(client, count)


def latency_of_device(count):
    """The same without a broker between: bytes of a command in, bytes of its result out."""
    with FakeBroker() as broker, Device(configuration(f"mqtt://127.0.0.1:{broker.port}", RELAY)):
        broker.accept()
        broker.expect(PUBLISH, f"{PREFIX}/fan/state")
        drain(broker, 0.2)
        return timed(broker, count)


def timed(wire, count):
    seconds = []
    for number in range(count):
        command = publish(FAN, (b"ON", b"OFF")[number % 2])
        begin = time.monotonic()
        wire.send(command)
        wire.expect(PUBLISH, f"{PREFIX}/fan/result")
        seconds.append(time.monotonic() - begin)
        # What follows the result is not part of the next command's time.
        time.sleep(0.002)
    return sorted(seconds)


def stop_time(port):
    """Seconds a clean stop takes."""
    with Device(configuration(f"mqtt://127.0.0.1:{port}")) as device:
        device.wait_log("online")
        wait_until(lambda: device.is_running, 1, "the device runs")
        return device.stop()[0]
