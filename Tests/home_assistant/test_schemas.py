"""Home Assistant's own schemas accept every document that a device can announce, and none that is wrong."""

import copy
import json
import os
import re
import unittest

from harness.device import ROOT, Device, configuration
from harness.mqtt import Broker, Observer

from .support import Validator, chips

BUS = "    bus: i2c-1\n"
# What a module can say that changes its document.
RELAYS = """\
  - relay: fan
    line: GPIO5
  - relay: lamp_2
    line: GPIO6
    pulse: 500ms
    on_payload: 'la"mp\\\\on'
    off_payload: aus
    home_assistant: { name: 'Lämpchen "2"', icon: 'mdi:lamp', device_class: outlet, entity_category: config, enabled_by_default: no, id: lamp }
"""
INPUTS = """\
  - button: bell
    line: GPIO17
  - binary: Level-1
    line: GPIO22
    home_assistant: { entity_category: diagnostic }
  - contact: door
    line: GPIO27
    on_payload: open
    off_payload: closed
    home_assistant: { device_class: DEVICE_CLASS }
"""


def documents(modules, settings):
    """The topics and payloads by which a device with these modules is announced."""
    with Broker() as broker, Observer(broker.port) as observer:
        text = configuration(broker.port, modules).replace("modules:", f"home_assistant: {settings}\nmodules:")
        with Device(text) as device:
            observer.wait("swiftlet/bench/availability", b"online")
            device.stop()
        observer.fence()
        return {message.topic: message.payload.decode() for message in observer.messages
                if message.topic.endswith("/config") and message.payload}


def classes():
    """The classes that the device file allows for what a contact senses."""
    with open(os.path.join(ROOT, "Sources/Dialects/HomeAssistantComponent.swift")) as file:
        return re.findall(r'"(\w+)"', re.search(r"binaryClasses: \[String\] \{\s*\[(.*?)\]", file.read(), re.S)[1])


def quantities():
    """Unit and class of everything that a chip, of ours or of anybody's package, may measure."""
    with open(os.path.join(ROOT, "Sources/Units/Quantity.swift")) as file:
        return re.findall(
            r'Quantity\("(\w+)", "([^"]*)"(?:, "(\w+)")?(?:, isTotal: (true))?\)', file.read().split("extension", 1)[1])


class Schemas(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.validator = Validator()
        cls.addClassCleanup(cls.validator.close)
        cls.kinds = chips()
        cls.device = documents(
            RELAYS + INPUTS.replace("DEVICE_CLASS", "door") + f"  - sensor: air\n    driver: SHT3x\n{BUS}",
            "{ suggested_area: Gärten, name: 'Das \"Haus\"' }")

    def accepted(self, documents):
        for topic, payload in documents.items():
            with self.subTest(topic):
                self.assertEqual(self.validator.check(topic, payload), [])
        return documents

    def test_one_document_for_a_device_is_accepted(self):
        self.assertEqual(list(self.device), ["homeassistant/device/swiftlet_bench/config"])
        self.accepted(self.device)

    def test_documents_of_every_kind_and_chip_are_accepted_in_both_forms(self):
        sensors = [
            f"  - sensor: s{index}\n    driver: {chip}\n    bus: i2c-{index}\n    every: 90s\n{more}"
            for index, chip in enumerate(self.kinds["sensor"])
            for more in ("", "    format: json\n    retain: yes\n    expires: 1h\n")]
        expanders = [f"  - expander: e\n    driver: {chip}\n{BUS}" for chip in self.kinds["expander"]]
        self.assertEqual(
            set(self.kinds), {"relay", "button", "contact", "binary", "sensor", "expander"},
            "a new kind needs its documents here")
        for form in ("device", "entity"):
            for modules in sensors + expanders:
                # Buses that the simulated board has not.
                modules = re.sub(r"i2c-\d+", "i2c-1", modules)
                with self.subTest(form, modules=modules):
                    found = self.accepted(documents(modules + RELAYS, f"{{ discovery: {form} }}"))
                    self.assertGreaterEqual(len(found), 1 if form == "device" else 2)
        self.accepted(documents(RELAYS + INPUTS.replace("DEVICE_CLASS", "door"), "{ discovery: entity }"))

    def test_every_class_of_a_contact_is_one_of_home_assistants(self):
        topic, payload = next(iter(self.device.items()))
        for name in classes():
            document = json.loads(payload)
            document["cmps"]["door"]["dev_cla"] = name
            self.assertEqual(self.validator.check(topic, document), [], name)
        self.assertGreater(len(classes()), 20)

    def test_every_quantity_has_a_unit_and_a_class_that_go_together(self):
        topic, payload = next(iter(self.device.items()))
        self.assertGreater(len(quantities()), 20)
        for name, unit, device_class, total in quantities():
            document = json.loads(payload)
            sensor = document["cmps"]["air_temperature"]
            sensor.pop("dev_cla")
            sensor.pop("unit_of_meas")
            sensor["stat_cla"] = "total_increasing" if total else "measurement"
            if unit:
                sensor["unit_of_meas"] = unit
            if device_class:
                sensor["dev_cla"] = device_class
            self.assertEqual(self.validator.check(topic, document), [], name)

    def test_what_is_wrong_is_found(self):
        topic, payload = next(iter(self.device.items()))
        right = json.loads(payload)

        def without(*path):
            part, wrong = None, copy.deepcopy(right)
            part = wrong
            for key in path[:-1]:
                part = part[key]
            del part[path[-1]]
            return wrong

        def changed(value, *path):
            wrong = copy.deepcopy(right)
            part = wrong
            for key in path[:-1]:
                part = part[key]
            part[path[-1]] = value
            return wrong

        fan, air = ("cmps", "fan"), ("cmps", "air_temperature")
        cases = {
            "a unit that is none of its class": changed("C", *air, "unit_of_meas"),
            "a class that is not there": changed("temprature", *air, "dev_cla"),
            "a key that nobody knows": changed(1, *fan, "stae_topic"),
            "a key of the device that nobody knows": changed(1, "dev", "colour"),
            "a key at the root that nobody knows": changed(1, "nonsense"),
            "object_id, which is gone": changed("fan", *fan, "obj_id"),
            "a base topic at the root": changed("swiftlet/bench", "~"),
            "no unique id": without(*fan, "uniq_id"),
            "the unique id of another": changed(right["cmps"]["door"]["uniq_id"], *fan, "uniq_id"),
            "an id of another platform's entity": changed("sensor.bench_fan", *fan, "def_ent_id"),
            "an id with capitals": changed("switch.Bench_Fan", *fan, "def_ent_id"),
            "no command topic": without(*fan, "cmd_t"),
            "a wildcard in a topic to publish to": changed("a/#", *fan, "cmd_t"),
            "no origin": without("o"),
            "a device without an id": without("dev", "ids"),
            "an expiry that is no number": changed("soon", *air, "exp_aft"),
            "an icon that is none": changed("fan", *fan, "ic"),
            "two forms of availability": changed("a/b", *fan, "avty_t"),
            "a sensor as a setting": changed("config", *air, "ent_cat"),
        }
        for name, document in cases.items():
            with self.subTest(name):
                self.assertNotEqual(self.validator.check(topic, document), [])
        self.assertNotEqual(self.validator.check(topic, payload[:-1]), [], "half a document")
        self.assertNotEqual(self.validator.check(topic, payload[:-1] + ',"o":{"name":"x"}}'), [], "a key twice")
        self.assertNotEqual(self.validator.check("homeassistant/swiftlet bench/config", payload), [], "a topic")
