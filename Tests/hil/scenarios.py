"""What is proven, from outside the machine: its registers, its sensors' far side, and the broker."""

import json
import re
import time
import typing

from harness.mqtt import Observer, wait_until
from harness.waiting import PATIENCE, pulse

from . import gpio
from .report import expect

ROOT = "swiftlet/greenhouse"


class Relay(typing.NamedTuple):
    line: int
    active_low: bool
    starts_on: bool
    idle: int  # the line's level before the process starts
    driven: bool = False  # by the firmware, as boards/raspberry-pi-3.yaml advises; or only pulled

    def level(self, on):
        return int(on != self.active_low)

    def __str__(self):
        return (f"GPIO{self.line}, active {'low' if self.active_low else 'high'}, "
                f"start {'on' if self.starts_on else 'off'}")


# The first two must not move at all; the others must move once, straight to their start level:
# they show that a movement would be seen.
RELAYS = {
    "fan": Relay(17, active_low=True, starts_on=False, idle=1, driven=True),
    "pump": Relay(22, active_low=False, starts_on=False, idle=0),
    "lamp": Relay(23, active_low=False, starts_on=True, idle=0),
    "heater": Relay(24, active_low=True, starts_on=True, idle=1),
}
FAN = RELAYS["fan"]

# line, its level before the process starts; both are active low. QEMU raises no interrupts of lines,
# so what happens later is not seen here.
BUTTONS = {"door": (27, 0), "hatch": (26, 1)}

CONFIGURATION = """
device: greenhouse
board: raspberry-pi-3
mqtt: mqtt://10.0.2.100:1883
modules:
""" + "".join(f"""
  - relay: {name}
    line: GPIO{relay.line}
    active: {"low" if relay.active_low else "high"}
    safety: {{ start: {"on" if relay.starts_on else "off"}, stop: off }}
""" for name, relay in RELAYS.items()) + "".join(f"""
  - button: {name}
    line: GPIO{line}
    active: low
    pull: up
    debounce: 30ms
""" for name, (line, _) in BUTTONS.items()) + """
  - sensor: air
    driver: TMP105
    bus: i2c-1
    address: 0x48
    every: 1s
  - sensor: porch
    driver: LM75
    bus: i2c-1
    address: 0x4A
    every: 1s
  - sensor: barometer
    driver: BMP280
    bus: i2c-1
    address: 0x76
    every: 1s
  - sensor: cellar
    driver: TMP105
    bus: i2c-1
    address: 0x49  # nothing answers there
    every: 1s
"""


class Bench:
    """A running machine, its broker and what the scenarios share."""

    def __init__(self, machine, broker, report):
        self.machine, self.broker, self.report = machine, broker, report
        self.lines = gpio.Lines(machine.registers)
        self.observer = Observer(broker.port)
        self.asserting = report.asserting
        self.pid = self.status = None

    def start_runtime(self):
        self.pid = self.machine.console.shell(
            "swiftletd --config /etc/device.yaml --boards /boards >/dev/ttyS1 2>&1 & echo $!")[-1]

    def running(self):
        """The runtime is up, with every state on its topic."""
        if self.pid is None:
            self.start_runtime()
        self.expect_alive()
        self.wait_running(0)

    def wait_running(self, since):
        """Its states are on their topics; or a reason that says how it ended."""
        deadline = time.monotonic() + PATIENCE
        for topic, payload in (("availability", b"online"), *((f"{name}/state", None) for name in RELAYS)):
            while True:
                try:
                    self.observer.wait(f"{ROOT}/{topic}", payload, since=since, timeout=1)
                    break
                except TimeoutError:
                    self.expect_alive()
                    if time.monotonic() > deadline:
                        raise

    def expect_alive(self):
        if self.status is None:
            answer = self.machine.console.shell(f"kill -0 {self.pid} 2>/dev/null || {{ wait {self.pid}; echo $?; }}")
            if answer:
                self.status = answer[-1]
                self.machine.console.shell("dmesg | grep -A 12 unhandled; true")  # a crash's registers
        expect(self.status is None, f"swiftletd has ended with status {self.status}")

    def stop_runtime(self):
        """SIGTERM; what the process says is its exit status."""
        pid, self.pid = self.pid, None
        return self.machine.console.shell(f"kill -TERM {pid}; wait {pid}; echo status $?")[-1]

    def wait_fan(self, on, timeout=PATIENCE):
        wait_until(lambda: self.lines.level(FAN.line) == FAN.level(on), timeout,
                   f"GPLEV0: GPIO{FAN.line} at {FAN.level(on)}")

    def gpio_writes(self):
        """To registers of the header's lines."""
        return [write for write in self.machine.write_log.writes(gpio.REGION) if write.address not in gpio.ELSEWHERE]

    def broker_log(self, start=0):
        """What the broker wrote down about packets."""
        with open(self.broker.log_path, errors="replace") as log:
            return log.read()[start:]

    def answer(self, since, module="fan"):
        return json.loads(self.observer.wait(f"{ROOT}/{module}/result", since=since).payload)

    def command(self, payload, module="fan"):
        since = self.observer.mark()
        self.observer.publish(f"{ROOT}/{module}/set", payload)
        return since


def start(bench):
    """From before the process starts until 2 s after, a relay's line shows its start level only."""
    for relay in RELAYS.values():
        (bench.lines.drive if relay.driven else bench.lines.pull)(relay.line, relay.idle)
    for line, idle in BUTTONS.values():
        bench.lines.pull(line, idle)
    bench.machine.write_log.start()
    sampler = gpio.Sampler(bench.machine.registers)
    try:
        wait_until(lambda: sampler.samples > 100, what="the sampler runs")
        before = bench.observer.mark()
        with bench.asserting("swiftletd starts and is online"):
            bench.start_runtime()
            started = time.monotonic()
            bench.wait_running(before)
        time.sleep(max(0.0, started + 2 - time.monotonic()))  # the observation's length, not a wait
    finally:
        sampler.stop()
        bench.machine.write_log.stop()
    writes = bench.gpio_writes()
    bench.report.say(f"lines observed by {sampler}; {len(writes)} GPIO register writes recorded")
    for name, relay in RELAYS.items():
        right = relay.level(relay.starts_on)
        kept = "stays" if relay.idle == right else "goes straight to and stays"
        with bench.asserting(f"{name} ({relay}) {kept} at {right}"):
            expect(bench.lines.is_output(relay.line), f"GPIO{relay.line} is no output, nothing drives the relay")
            sampled, expected = sampler.levels(relay.line), [right] if relay.idle == right else [relay.idle, right]
            expect(sampled == expected, f"sampled levels {sampled}, expected {expected}")
            driven = gpio.driven_levels(writes, relay.line, relay.idle if relay.driven else None)
            expect(driven == [right], f"levels driven, by the register writes: {driven}, expected {[right]} "
                   "(None: an output whose level was not written first)")
            state = bench.observer.wait(f"{ROOT}/{name}/state", since=before).payload
            expect(state == (b"ON" if relay.starts_on else b"OFF"), f"state says {state!r}")
    for name, (line, idle) in BUTTONS.items():
        state = b"OFF" if idle else b"ON"
        with bench.asserting(f"{name} (GPIO{line}, active low) at level {idle} says {state.decode()} from the start"):
            told = [m.payload for m in bench.observer.messages[before:] if m.topic == f"{ROOT}/{name}/state"]
            expect(told and set(told) == {state}, f"it says {told}")


def relay(bench):
    """Commands reach the line; what is no command is answered with a reason."""
    bench.running()
    for word, on in (("ON", True), ("OFF", False)):
        with bench.asserting(f"fan/set {word} puts GPIO{FAN.line} to {FAN.level(on)} at the SoC register"):
            expect(bench.lines.level(FAN.line) == FAN.level(not on), "the line is there already")
            since = bench.command(word)
            bench.wait_fan(on)
        with bench.asserting(f"fan/state says {word}, and the command is answered as accepted"):
            bench.observer.wait(f"{ROOT}/fan/state", word.encode(), since=since)
            answer = bench.answer(since)
            expect(answer == {"command": word, "result": "accepted"}, f"the answer is {answer}")
    bench.machine.write_log.start()
    with bench.asserting("an unknown payload is answered as rejected, with a reason"):
        since = bench.command("SIDEWAYS")
        answer = bench.answer(since)
        expect(answer.get("command") == "SIDEWAYS" and answer.get("result") == "rejected", f"the answer is {answer}")
        expect(answer.get("reason"), f"no reason: {answer}")
    bench.machine.write_log.stop()
    with bench.asserting("an unknown payload writes to no GPIO register and changes no state"):
        writes = bench.gpio_writes()
        expect(not writes, f"registers written: {writes}")
        expect(bench.lines.level(FAN.line) == FAN.level(False), "the line has moved")
        states = [m for m in bench.observer.messages[since:] if m.topic == f"{ROOT}/fan/state"]
        expect(not states, f"state published: {states}")


def sensor(bench):
    """What the chips measure is on their topics; a chip that is not there disturbs nobody."""
    bench.running()
    for name, millidegrees, text in (
            ("air", 42500, b"42.50"), ("air", -10250, b"-10.25"),
            ("porch", -7500, b"-7.50"), ("porch", 18500, b"18.50")):
        with bench.asserting(
                f"{millidegrees / 1000} °C set on QEMU's side is in the next reading on {name}/temperature"):
            bench.machine.set_property(name, "temperature", millidegrees)
            since = bench.observer.mark()
            bench.observer.wait(f"{ROOT}/{name}/temperature", text, since=since)
            readings = [m.payload for m in bench.observer.messages[since:] if m.topic == f"{ROOT}/{name}/temperature"]
            # One may have been on its way.
            expect(text in readings[:2], f"they were {readings}")
    for quantity, text in (("temperature", b"25.08"), ("pressure", b"1006.53")):
        with bench.asserting(
                f"barometer/{quantity} says {text.decode()} for the datasheet's calibration and raw values"):
            payload = bench.observer.wait(f"{ROOT}/barometer/{quantity}").payload
            expect(payload == text, f"it says {payload!r}")
    with bench.asserting("a sensor where no chip answers says so on cellar/error") as line:
        payload = bench.observer.wait(f"{ROOT}/cellar/error", lambda text: text != b"").payload
        line.note = payload.decode(errors="replace")
    with bench.asserting("the sensor without a chip publishes no reading, and the others go on"):
        since = bench.observer.mark()
        for topic in ("air/temperature", "barometer/pressure"):
            bench.observer.wait(f"{ROOT}/{topic}", since=since)
        readings = [m for m in bench.observer.messages if m.topic == f"{ROOT}/cellar/temperature"]
        expect(not readings, f"published: {readings}")
        for name in ("air", "porch", "barometer"):
            errors = [m for m in bench.observer.messages if m.topic == f"{ROOT}/{name}/error" and m.payload]
            expect(not errors, f"published: {errors}")


def reconnect(bench):
    """The broker dies and comes back with an empty memory."""
    bench.running()
    bench.command("ON")
    bench.wait_fan(True)
    bench.observer.wait(f"{ROOT}/fan/state", b"ON")
    bench.machine.write_log.start()
    bench.broker.kill()
    since, begin = bench.observer.mark(), time.monotonic()
    bench.broker.start()
    with bench.asserting("after the broker's restart availability and states are back, retained, in under 10 s"):
        bench.observer.wait(f"{ROOT}/availability", b"online", since=since)
        bench.observer.wait(f"{ROOT}/fan/state", b"ON", since=since)
        with Observer(bench.broker.port) as fresh:
            for topic, payload in (("availability", b"online"), ("fan/state", b"ON"), ("pump/state", b"OFF")):
                message = fresh.wait(f"{ROOT}/{topic}", payload)
                expect(message.retained, f"{topic} is not retained")
        back = time.monotonic() - begin - pulse.allowance(begin)
        expect(back < 10, f"they were back after {back:.1f} s")
    bench.machine.write_log.stop()
    with bench.asserting("no GPIO register was written meanwhile, and the fan is still on"):
        expect(not bench.gpio_writes(), f"registers written: {bench.gpio_writes()}")
        expect(bench.lines.level(FAN.line) == FAN.level(True), "the line has moved")
    bench.machine.write_log.start()
    with bench.asserting("a QoS 1 command sent after the restart is obeyed"):
        since = bench.command("OFF")
        bench.wait_fan(False, timeout=PATIENCE)
        bench.observer.wait(f"{ROOT}/fan/state", b"OFF", since=since)
    with bench.asserting("…exactly once: one write to the line's latch, one answer"):
        # A second one would come before the answer to what follows.
        bench.command("SIDEWAYS")
        bench.observer.wait(f"{ROOT}/fan/result", lambda payload: b"SIDEWAYS" in payload, since=since)
        bench.machine.write_log.stop()
        writes = gpio.latch_writes(bench.gpio_writes(), FAN.line)
        expect(writes == [FAN.level(False)], f"levels written: {writes}")
        answers = [m for m in bench.observer.messages[since:]
                   if m.topic == f"{ROOT}/fan/result" and b"SIDEWAYS" not in m.payload]
        expect(len(answers) == 1, f"answers: {answers}")


def stop(bench):
    """SIGTERM in the guest."""
    bench.running()
    bench.command("ON")
    bench.wait_fan(True)
    bench.machine.write_log.start()
    since, log_start = bench.observer.mark(), len(bench.broker_log())
    with bench.asserting("SIGTERM ends swiftletd with status 0"):
        status = bench.stop_runtime()
        expect(status == "status 0", f"it ended with {status}")
    with bench.asserting("a clean stop publishes offline, retained, and takes leave: no will does it"):
        bench.observer.wait(f"{ROOT}/availability", b"offline", since=since)
        for event in (f"Received PUBLISH from .*'{ROOT}/availability'", "Received DISCONNECT from "):
            expect(re.search(event, bench.broker_log(log_start)),
                   f"no '{event}' in the broker's log:\n{bench.broker_log(log_start)}")
        with Observer(bench.broker.port) as fresh:
            message = fresh.wait(f"{ROOT}/availability")
            expect(message.retained and message.payload == b"offline", f"a new subscriber gets {message}")
    bench.machine.write_log.stop()
    with bench.asserting(f"a clean stop puts the fan that was on to its stop level {FAN.level(False)}"):
        writes = gpio.latch_writes(bench.gpio_writes(), FAN.line)
        expect(writes == [FAN.level(False)], f"levels written: {writes}")
        expect(bench.lines.level(FAN.line) == FAN.level(False), "the line is at the other level")


ALL = [start, relay, sensor, reconnect, stop]
