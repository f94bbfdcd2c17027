"""Connected and with nothing to do: memory and wake-ups of our client and its peers, all at once, meanwhile."""

import re
import socket
import subprocess
import threading
import time

from harness.fake_broker import CONNECT, FakeBroker, packet
from .measurements import switches

NAMES = ("swiftlet", "swiftlet 5.0", "raw C", "libmosquitto", "paho C", "paho-python")
PINGREQ = 12
# kB: what the issue allows.
MEMORY = 2048
SETTLING = 3


class Idler:
    """One client with a server of its own, which counts its PINGREQ."""

    def __init__(self, program, more, seconds):
        self.pings, self.broker = 0, FakeBroker()
        self.process = subprocess.Popen(
            [*program, "idle", str(self.broker.port), str(seconds), *more.split()], stdout=subprocess.DEVNULL)
        self.broker.accept_socket()
        connect = self.broker.expect(CONNECT)
        is_v5 = connect.body[6] == 5
        self.broker.send(packet(0x20, b"\0\0\0" if is_v5 else b"\0\0"))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            while True:
                self.pings += self.broker.read(3600).type == PINGREQ
        except Exception:
            return

    def memory(self, which):
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(rf"{which}:\s+(\d+)", file.read())[1])

    def threads(self):
        return self.memory("Threads")

    def begin(self):
        self.before, self.pings_before = switches(self.process.pid), self.pings

    def end(self):
        """(wake-ups, PINGREQ) since `begin`."""
        return switches(self.process.pid) - self.before, self.pings - self.pings_before

    def close(self):
        self.process.kill()
        self.process.wait()
        try:
            self.broker.client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.broker.close()


class Idlers:
    """Started early, looked at late: what is measured in between has the time they need."""

    def __init__(self, clients, seconds=60):
        self.seconds = seconds
        self.idlers = {}
        for name in NAMES:
            program, more = clients.programs[name]
            self.idlers[name] = Idler(program, more, 3600)
        self.timer = threading.Thread(target=self.watch, daemon=True)
        self.timer.start()

    def watch(self):
        time.sleep(SETTLING)
        for idler in self.idlers.values():
            idler.begin()
        time.sleep(self.seconds)
        self.counted = {name: idler.end() for name, idler in self.idlers.items()}

    def report(self, table, results):
        """Waits for the end of the time. A PINGREQ wakes a client twice: when it is due and when it is answered."""
        self.timer.join()
        for name, idler in self.idlers.items():
            wake_ups, pings = self.counted[name]
            ours = name.startswith("swiftlet")
            # One, when the answer is there before the client sleeps.
            extra = max(0, wake_ups - 2 * pings)
            rows = (("idle, memory", idler.memory("VmHWM"), "kB", MEMORY), ("idle, threads", idler.threads(), "", None),
                    (f"idle, wake-ups in {self.seconds} s", extra, "", 0))
            for metric, value, unit, limit in rows:
                note = f"beside {pings} PINGREQ × 2" if metric.startswith("idle, wake") else ""
                table.row(f"{metric}, {name}", value, unit, limit if ours else None, note)
                results.append({"case": "idle", "client": name, "metric": metric, "value": value, "unit": unit})

    def close(self):
        for idler in self.idlers.values():
            idler.close()
