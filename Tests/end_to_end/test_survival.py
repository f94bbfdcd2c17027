"""Brokers that freeze or die, and networks that are cut: relays stay safe meanwhile, and afterwards everything is as it
should be, with no reading lost that was to be kept.

Loss and delay of packets need a kernel with netem: where this one has none, the kernel tests still have it.
"""

import shutil
import signal
import subprocess
import time
import unittest

from harness import network
from harness.mqtt import Broker, Observer, free_port, wait_until
from harness.waiting import PATIENCE, pulse

from .support import AVAILABILITY, PREFIX, Samples, SideBySide, answer, directory_in_memory

# The shortest there is, seconds.
KEEP_ALIVE = 5
FAN = f"{PREFIX}/fan"
NO_NETWORK = network.why_not()


def device_file(host, port, outbox, every="250ms", keep_alive=KEEP_ALIVE):
    return f"""\
device: bench
board: simulator
mqtt:
  url: mqtt://{host}:{port}
  keep_alive: {keep_alive}s
  outbox: {{ path: {outbox}/outbox.db }}
modules:
  - relay: fan
    line: GPIO5
    safety: {{ broker_lost: {{ after: 2s, then: off }} }}
  - sensor: air
    driver: SHT3x
    bus: i2c-1
    every: {every}
    keep: disk
"""


class Survival(SideBySide):
    seconds = 20

    def begin(self, settings="", host="127.0.0.1", port=None, keep_alive=KEEP_ALIVE, **options):
        """A broker, a device that it has switched on, and observers who do not lose their connections."""
        self.broker = self.with_cleanup(Broker(settings="allow_anonymous true\n" + settings))
        self.observer = self.with_cleanup(Observer(self.broker.port))
        self.samples = self.with_cleanup(Samples(self.broker.port, f"{PREFIX}/air/temperature"))
        outbox = directory_in_memory()
        self.addCleanup(shutil.rmtree, outbox)
        wait_until(lambda: self.subscriptions() == 2, what="the observers")
        device = self.start(device_file(host, port or self.broker.port, outbox, keep_alive=keep_alive), **options)
        self.observer.wait(f"{FAN}/error")
        self.command("ON")
        self.observer.wait(f"{FAN}/state", b"ON")
        return device

    def subscriptions(self):
        with open(self.broker.log_path) as log:
            return log.read().count("New client connected")

    def command(self, payload):
        since = self.observer.mark()
        self.observer.publish(f"{FAN}/set", payload)
        self.observer.publish(f"{FAN}/set", "end")
        self.observer.wait(f"{FAN}/result", lambda text: b"end" in text, since=since)
        obeyed = [answer(m)["result"] for m in self.observer.messages[since:]
                  if m.topic == f"{FAN}/result" and answer(m)["command"] == payload]
        self.assertEqual(obeyed, ["accepted"])

    def wait_for_obedience(self):
        """Until both are back and have subscribed."""
        since = self.observer.mark()

        def is_answered():
            self.observer.publish(f"{FAN}/set", "probe")
            self.observer.fence()
            return any(b"probe" in m.payload for m in self.observer.messages[since:] if m.topic == f"{FAN}/result")
        self.observer.subscribed.wait(PATIENCE)
        wait_until(is_answered, what="an answer")

    def states(self, since):
        """What the relay was said to be, without repetitions."""
        states = [m.payload.decode() for m in self.observer.messages[since:] if m.topic == f"{FAN}/state"]
        return [state for index, state in enumerate(states) if index == 0 or states[index - 1] != state]

    def retained(self, topic):
        return self.with_cleanup(Observer(self.broker.port, topic)).wait(topic).payload

    def check_all_is_well(self, device, since, state):
        """After a return: availability and states are right, commands are obeyed, and no reading is missing."""
        self.observer.wait(AVAILABILITY, b"online", since=since)
        self.observer.wait(f"{FAN}/error", since=since)
        self.samples.wait_for_news()
        self.assertEqual(self.retained(f"{FAN}/state"), state)
        self.assertEqual(self.retained(AVAILABILITY), b"online")
        self.command("TOGGLE")
        self.assertEqual(self.samples.gaps(longest=900), [])
        self.assertTrue(device.is_running)

    def check_calm(self, device, since):
        """OFF at the return, ON by the last command, and nothing else: the relay has not chattered."""
        self.observer.wait(f"{FAN}/state", b"ON", since=since)
        self.assertEqual(self.states(since), ["OFF", "ON"])
        self.assertEqual(device.log.count("switched off"), 1, device.log)

    def check_loss(self, device, begin):
        """The loss is found in time, and the relay goes off once, when that has been told long enough."""
        found = device.log_time("offline: no sign of life from the broker")
        self.assertLess(found - begin - pulse.allowance(begin), KEEP_ALIVE * 1.5 + 0.5)
        off = device.log_time("fan: switched off: the broker has been away for 2s")
        self.assertGreaterEqual(off - begin, 2)
        self.assertLess(off - found - pulse.allowance(begin), 2.5)

    def test_a_broker_that_freezes_for_two_keep_alives(self):
        device = self.begin()
        since, begin = self.observer.mark(), time.monotonic()
        self.broker.process.send_signal(signal.SIGSTOP)
        try:
            self.check_loss(device, begin)
            time.sleep(max(0, begin + 2 * KEEP_ALIVE - time.monotonic()))
        finally:
            self.broker.process.send_signal(signal.SIGCONT)
        self.check_all_is_well(device, since, b"OFF")
        self.check_calm(device, since)

    def test_a_broker_that_is_killed_again_and_again_in_the_middle_of_traffic(self):
        device = self.begin()
        for _ in range(3):
            for number in range(20):
                self.observer.publish(f"{FAN}/set", f"traffic {number}")
            marked = device.mark()
            self.broker.kill()
            device.wait_log("offline", since=marked)
            self.broker.start()
            device.wait_log("^online", since=marked)
            self.wait_for_obedience()
            self.command("TOGGLE")
        self.assertTrue(device.is_running)

    @unittest.skipIf(NO_NETWORK, NO_NETWORK)
    def test_a_network_that_is_cut_for_less_than_the_keep_alive(self):
        cable, device = self.begin_over_network(keep_alive=60)
        since = self.observer.mark()
        cable.cut()
        time.sleep(2)
        cable.mend()
        self.samples.wait_for_news()
        self.command("TOGGLE")
        self.assertNotIn("offline", device.log)
        self.observer.wait(f"{FAN}/state", b"OFF", since=since)
        self.assertEqual(self.states(since), ["OFF"])
        self.assertEqual(self.samples.gaps(longest=900), [])

    @unittest.skipIf(NO_NETWORK, NO_NETWORK)
    def test_a_network_that_is_cut_for_longer_than_the_keep_alive(self):
        cable, device = self.begin_over_network()
        since, begin = self.observer.mark(), time.monotonic()
        cable.cut()
        self.check_loss(device, begin)
        time.sleep(max(0, begin + 2 * KEEP_ALIVE + 2 - time.monotonic()))
        cable.mend()
        self.check_all_is_well(device, since, b"OFF")
        self.check_calm(device, since)

    @unittest.skipIf(NO_NETWORK, NO_NETWORK)
    def test_a_network_that_loses_and_delays_packets(self):
        cable, device = self.begin_over_network()
        try:
            cable.disturb("loss 30% delay 100ms")
        except subprocess.CalledProcessError as error:
            self.skipTest(f"this kernel has no netem ({error.stderr.strip()}); 'make kernel-test' has")
        since = self.observer.mark()
        for _ in range(3):
            self.observer.publish(f"{FAN}/set", "TOGGLE").wait_for_publish()
        wait_until(lambda: len(self.states(since)) >= 3, what="the relay's states")
        cable.disturb("delay 0ms")
        self.check_all_is_well(device, since, b"OFF")

    def begin_over_network(self, **options):
        cable = self.with_cleanup(network.Network())
        port = free_port()
        return cable, self.begin(
            f"listener {port} {cable.host}\n", cable.host, port, wrapper=cable.wrapper, **options)


if __name__ == "__main__":
    unittest.main()
