"""What a broker must never send, and too much of what it may: the device stays small, awake and polite."""

import struct
import time

from harness.device import Device, configuration
from harness.fake_broker import PUBACK, PUBCOMP, PUBLISH, PUBREC, FakeBroker, length, packet, publish
from harness.waiting import PATIENCE, is_asleep

from .support import PREFIX
import unittest

FAN = f"{PREFIX}/fan/set"
RESULT = f"{PREFIX}/fan/result"
RELAY_ONLY = "  - relay: fan\n    line: GPIO9\n"


def send_until_stuck(test, broker, device, prefix=f"{PREFIX}/"):
    """Sends commands until the device takes no more; answers what must follow what it took."""
    # Answered with its topic, so that a short command makes a long answer.
    command = publish(f"{prefix}{'x' * 450}/set", b"", qos=1, packet_id=9)
    broker.client.setblocking(False)
    deadline = time.monotonic() + PATIENCE
    rest, stuck = command, 0
    while time.monotonic() < deadline:
        try:
            rest, stuck = rest[broker.client.send(rest):] or command * 64, 0
        except BlockingIOError:
            # Nothing is taken now, and the device sleeps, for the tenth time?
            stuck = stuck + 1 if is_asleep(device.process.pid) else 0
            if stuck > 10:
                return rest
            time.sleep(0.05)
    test.fail("the device reads for ever, or does not rest")


class HostileBroker(unittest.TestCase):

    def setUp(self):
        self.broker = FakeBroker()
        self.addCleanup(self.broker.close)

    def start(self, modules=RELAY_ONLY, keep_alive="60s"):
        device = Device(configuration(
            f"{{ url: 'mqtt://127.0.0.1:{self.broker.port}', keep_alive: {keep_alive} }}", modules))
        self.addCleanup(device.close)
        self.broker.accept()
        self.broker.expect(PUBLISH, f"{PREFIX}/fan/state")
        return device

    def check_obedient(self, payload="TOGGLE"):
        """A command is still obeyed, and answered."""
        self.broker.send(publish(FAN, payload.encode(), qos=1, packet_id=77))
        self.assertIn(b"accepted", self.broker.expect(PUBLISH, RESULT).payload)

    # Too much

    def test_the_largest_message_there_is_passes_without_a_trace_in_memory(self):
        device = self.start()
        self.check_obedient()
        before = device.memory("VmHWM")
        remaining = 268_435_455
        topic = struct.pack(">H", len(FAN)) + FAN.encode() + struct.pack(">H", 5)
        self.broker.send(bytes([0x32]) + length(remaining) + topic)
        chunk = bytes(1 << 20)
        left = remaining - len(topic)
        while left:
            self.broker.send(chunk[:left])
            left -= min(left, len(chunk))
        refusal = self.broker.expect(PUBLISH, RESULT).payload
        self.assertIn(f"{remaining - len(topic)} bytes".encode(), refusal)
        # It is acknowledged, or the broker would send it again and again.
        self.assertEqual(self.broker.expect(PUBACK).body, struct.pack(">H", 5))
        self.check_obedient()
        self.assertLess(device.memory("VmHWM") - before, 256, "kilobytes for a message that was skipped")

    def test_a_message_that_never_ends_does_not_hold_up_a_stop(self):
        device = self.start()
        self.broker.send(bytes([0x30]) + length(268_435_455) + struct.pack(">H", len(FAN)) + FAN.encode())
        self.broker.send(bytes(100_000))
        self.broker.expect(PUBLISH, RESULT)
        seconds, status = device.stop()
        self.assertEqual(status, 0)
        self.assertLess(seconds, 3)

    def test_a_broker_that_sends_and_does_not_read_costs_no_processor_time(self):
        self.broker.close()
        self.broker = FakeBroker(window=4096)
        self.addCleanup(self.broker.close)
        device = self.start()
        sent = send_until_stuck(self, self.broker, device)
        self.assertLess(device.share_of_processor(), 0.1, "it spins")
        # The broker reads again: everything goes on where it stopped.
        found = self.broker.discard_until(b"the very last")
        self.broker.send(sent)
        self.broker.send(publish(FAN, b"the very last"))
        self.assertTrue(found.wait(PATIENCE), device.log[-1000:])

    def test_a_message_in_single_bytes_is_understood(self):
        self.start()
        for byte in publish(FAN, b"ON", qos=1, packet_id=3):
            self.broker.send(bytes([byte]))
        self.assertIn(b"accepted", self.broker.expect(PUBLISH, RESULT).payload)

    # Wrong

    def check_closed(self, data, log):
        """The device closes and says why."""
        device = self.start()
        self.sent = time.monotonic()
        self.broker.send(data)
        self.broker.expect_close()
        device.wait_log(log)
        self.assertTrue(device.is_running)

    def test_a_topic_that_is_not_utf_8(self):
        self.check_closed(publish(FAN.encode() + b"\xff", b"ON"), "offline: the broker sent bytes that are not MQTT")
        self.broker.accept()
        self.assertGreater(time.monotonic() - self.sent, 0.5, "no pause before the next attempt")
        self.broker.expect(PUBLISH, f"{PREFIX}/fan/state")
        self.check_obedient()

    def test_an_overlong_or_half_character_in_a_topic(self):
        self.check_closed(publish(b"swiftlet/\xc0\xaf", b""), "not MQTT")

    def test_a_topic_with_a_null_character(self):
        self.check_closed(publish(b"swiftlet/\x00", b""), "not MQTT")

    def test_a_topic_that_is_longer_than_its_packet(self):
        self.check_closed(packet(0x30, b"\xff\xffabc"), "not MQTT")

    def test_an_empty_packet_where_a_topic_is_due(self):
        self.check_closed(b"\x30\x00", "not MQTT")

    def test_a_length_of_five_bytes(self):
        self.check_closed(b"\x30\xff\xff\xff\xff\x7f", "not MQTT")

    def test_a_packet_of_type_0(self):
        self.check_closed(b"\x00\x00", "not MQTT")

    def test_a_second_connack(self):
        self.check_closed(packet(0x20, b"\0\0"), "may not come now")

    def test_a_packet_only_clients_send(self):
        self.check_closed(packet(0xC0, b""), "may not come now")

    def test_a_suback_that_is_too_long(self):
        self.check_closed(bytes([0x90]) + length(100_000), "too long")

    def test_a_command_of_qos_2_that_comes_twice_is_obeyed_once(self):
        self.start()
        toggle = publish(FAN, b"TOGGLE", qos=2, packet_id=7)
        self.broker.send(toggle + bytes([toggle[0] | 8]) + toggle[1:] + packet(0x62, b"\0\7"))
        answers = [self.broker.read()]
        while answers[-1].type != PUBCOMP:
            answers.append(self.broker.read())
        self.assertEqual([answer.type for answer in answers].count(PUBREC), 2)
        results = [answer.payload for answer in answers if answer.type == PUBLISH and answer.topic == RESULT]
        self.assertEqual(len(results), 1, results)
        self.assertIn(b"accepted", results[0])

    def test_a_message_of_qos_3(self):
        self.check_closed(publish(FAN, b"ON", qos=3), "not MQTT")

    def test_half_a_packet_and_then_the_end(self):
        device = self.start()
        self.broker.send(publish(FAN, b"ON")[:-1])
        self.broker.drop()
        device.wait_log("offline: the connection was closed")
        self.broker.accept()
        self.check_obedient()

    def test_acknowledgements_nobody_waits_for_are_ignored(self):
        self.start()
        self.broker.send(packet(0x40, b"\x12\x34") + packet(0x90, b"\x12\x34\x00") + packet(0xD0, b""))
        self.check_obedient()

    def test_messages_for_others_are_ignored(self):
        self.start()
        for topic in ("swiftlet", "other/fan/set", f"{PREFIX}/set", f"{PREFIX}//set", f"{PREFIX}/fan/state"):
            self.broker.send(publish(topic, b"ON"))
        self.check_obedient()

    def test_a_web_server_in_the_broker_s_place(self):
        device = Device(configuration(self.broker.port))
        self.addCleanup(device.close)
        self.broker.accept_socket()
        self.broker.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.broker.expect_close()
        device.wait_log("no connection to the broker, trying again: the broker sent")
        self.assertTrue(device.is_running)


if __name__ == "__main__":
    unittest.main()
