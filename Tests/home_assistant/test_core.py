"""Home Assistant's core and its real MQTT integration with a device."""

import itertools
import unittest

from harness.device import Device, configuration
from harness.mqtt import Broker, Observer
from harness.waiting import wait_until

from .support import Home

PREFIX = "swiftlet/bench"
MODULES = """\
  - relay: fan
    line: GPIO5
    home_assistant: { name: Big fan, icon: 'mdi:fan', device_class: outlet }
  - relay: gate
    line: GPIO6
    on_payload: open
    off_payload: closed
  - sensor: air
    driver: SHT3x
    bus: i2c-1
    every: 1s
  - sensor: attic
    driver: BMP280
    bus: i2c-1
    every: 1h
    format: json
  - contact: door
    line: GPIO27
    home_assistant: { device_class: door }
  - button: bell
    line: GPIO22
    home_assistant: no
"""
ENTITIES = {
    "switch.bench_fan", "switch.bench_gate", "sensor.bench_air_temperature", "sensor.bench_air_humidity",
    "sensor.bench_attic_temperature", "sensor.bench_attic_pressure", "binary_sensor.bench_door"}


def text(broker, modules=MODULES, settings="{ suggested_area: Garden, name: 'The \"bench\"' }"):
    return configuration(broker.port, modules).replace("modules:", f"home_assistant: {settings}\nmodules:", 1)


class Core(unittest.TestCase):
    """One device in Home Assistant, from its discovery to its end."""

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.addClassCleanup(cls.broker.close)
        cls.observer = Observer(cls.broker.port)
        cls.addClassCleanup(cls.observer.close)
        cls.home = Home(cls.broker.port)
        cls.addClassCleanup(cls.home.close)

    def test_a_device_from_its_discovery_to_its_end(self):
        home = self.home
        with Device(text(self.broker)) as device:
            self.it_appears(home)
            self.it_obeys(home)
            self.its_readings_expire(home)
            self.it_is_told_that_home_assistant_has_started()
            device.stop()
            for entity in ENTITIES:
                home.wait_state(entity, "unavailable")
            # The other form, and without what is no longer there.
            fewer = MODULES[:MODULES.index("  - sensor")]
            self.restart(device, "switch/swiftlet_bench/fan", fewer, "{ discovery: entity }")
            home.wait_gone(*(ENTITIES - {"switch.bench_fan", "switch.bench_gate"}))
            home.wait_state("switch.bench_fan", "off")
            # The first form again.
            device.stop()
            self.restart(device, "device/swiftlet_bench", fewer, "yes")
            home.wait_state("switch.bench_gate", "off")
            self.assertEqual(home.states()["switch.bench_fan"]["unique_id"], "swiftlet_bench_fan")
            # Nothing for Home Assistant at all.
            device.stop()
            device.restart(text(self.broker, fewer, "no"))
            home.wait_gone(*ENTITIES)
            wait_until(lambda: not home.devices(), what="the device is gone")
        complaints = [line for line in home.log if "mqtt" in line.lower()]
        self.assertEqual(complaints, [])

    def restart(self, device, topic, modules, settings):
        """Until it is announced there."""
        since = self.observer.mark()
        device.restart(text(self.broker, modules, settings))
        self.observer.wait(f"homeassistant/{topic}/config", lambda payload: payload != b"", since=since)

    def it_appears(self, home):
        for entity in ENTITIES:
            home.wait_state(entity)
        states = home.states()
        self.assertEqual({name for name in states if "bench" in name}, ENTITIES)
        self.assertEqual(states["switch.bench_fan"]["state"], "off")
        self.assertEqual(states["switch.bench_fan"]["friendly_name"], 'The "bench" Big fan')
        self.assertEqual(states["switch.bench_fan"]["icon"], "mdi:fan")
        self.assertEqual(states["switch.bench_fan"]["device_class"], "outlet")
        self.assertEqual(states["binary_sensor.bench_door"]["device_class"], "door")
        temperature = states["sensor.bench_air_temperature"]
        self.assertRegex(temperature["state"], r"^-?\d+\.\d+$")
        self.assertEqual((temperature["unit_of_measurement"], temperature["state_class"]), ("°C", "measurement"))
        self.assertEqual(states["sensor.bench_attic_pressure"]["unit_of_measurement"], "hPa")
        device, = home.devices()
        self.assertEqual((device["name"], device["manufacturer"], device["model"], device["area"]),
                         ('The "bench"', "Swiftlet", "Simulator", "Garden"))

    def it_obeys(self, home):
        for entity, on in (("fan", b"ON"), ("gate", b"open")):
            since = self.observer.mark()
            home.call("switch", "turn_on", entity_id=f"switch.bench_{entity}")
            home.wait_state(f"switch.bench_{entity}", "on")
            self.observer.wait(f"{PREFIX}/{entity}/set", on, since=since)
            self.observer.wait(f"{PREFIX}/{entity}/result", lambda payload: b"accepted" in payload, since=since)
            home.call("switch", "turn_off", entity_id=f"switch.bench_{entity}")
            home.wait_state(f"switch.bench_{entity}", "off")
        self.observer.publish(f"{PREFIX}/sim/door/set", "ON")
        home.wait_state("binary_sensor.bench_door", "on")
        # Its line fails: nobody knows what it is, though the device is there.
        self.observer.publish(f"{PREFIX}/sim/fan/fault/set", "gone")
        services = itertools.cycle(("turn_on", "turn_off"))

        def fails():
            # The broker may bring the fault after a command that was sent later, on another connection.
            home.call("switch", next(services), entity_id="switch.bench_fan")
            return home.states()["switch.bench_fan"]["state"] == "unavailable"
        wait_until(fails, what="the fan is unavailable")
        self.assertEqual(home.states()["switch.bench_gate"]["state"], "off")
        self.observer.publish(f"{PREFIX}/sim/fan/fault/set", "none")
        self.observer.publish(f"{PREFIX}/fan/set", "OFF")
        home.wait_state("switch.bench_fan", "off")

    def its_readings_expire(self, home):
        self.observer.publish(f"{PREFIX}/sim/air/fault/set", "no_acknowledge")
        home.wait_state("sensor.bench_air_temperature", "unavailable")
        self.assertNotIn(home.states()["sensor.bench_attic_temperature"]["state"], ("unavailable", "unknown"))
        self.observer.publish(f"{PREFIX}/sim/air/fault/set", "none")
        home.wait_state("sensor.bench_air_temperature")

    def it_is_told_that_home_assistant_has_started(self):
        since = self.observer.mark()
        self.observer.publish("homeassistant/status", "online")
        self.observer.wait("homeassistant/device/swiftlet_bench/config", since=since)
        self.observer.wait(f"{PREFIX}/fan/state", b"OFF", since=since)
        self.observer.wait(f"{PREFIX}/attic/temperature", since=since)
