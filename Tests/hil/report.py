"""One line an assertion, with how long it took; a failure ends its scenario, not the others."""

import contextlib
import sys
import time


class Failed(Exception):
    """The scenario cannot go on; the reason is printed already."""


class Report:
    def __init__(self, machine_name):
        self.machine_name, self.passed, self.failed = machine_name, 0, 0

    def say(self, text):
        print(f"  {self.machine_name}: {text}", flush=True)

    @contextlib.contextmanager
    def asserting(self, sentence):
        """The block does and checks what the sentence says; it may set `.note` for the same line."""
        line, start = Line(), time.monotonic()
        try:
            yield line
        except Exception as error:
            self.failed += 1
            self._print("FAILED", sentence, start, line.note)
            print("      " + f"{type(error).__name__}: {error}".replace("\n", "\n      "), flush=True)
            raise Failed(sentence) from error
        self.passed += 1
        self._print("ok", sentence, start, line.note)

    def _print(self, verdict, sentence, start, note):
        milliseconds = (time.monotonic() - start) * 1000
        print(f"  {verdict:6} {self.machine_name}: {sentence}, {milliseconds:.0f} ms"
              f"{f' ({note})' if note else ''}", flush=True)
        if verdict != "ok":
            sys.stdout.flush()


class Line:
    note = ""


def expect(condition, reason):
    if not condition:
        raise AssertionError(reason)
