"""Runs tests side by side: most of them wait most of the time.

What shares a fixture stays together, in one process: a module with setUpModule, a class with setUpClass. Every other
test has a process of its own. Those that say that they take long (`seconds` of a class, of a module) begin.
"""

import argparse
import ctypes
import faulthandler
import fnmatch
import json
import os
import selectors
import signal
import sys
import tempfile
import time
import traceback
import unittest

# Seconds after which a process hangs.
LIMIT = 900
PR_SET_CHILD_SUBREAPER = 36
OUTCOMES = ("passed", "failed", "skipped")


class Reporter(unittest.TestResult):
    """Sends each test's outcome as a line of JSON."""

    def __init__(self, out):
        super().__init__()
        self.out = out
        self.problems, self.reason, self.began = [], None, time.monotonic()

    def startTest(self, test):
        super().startTest(test)
        self.problems, self.reason, self.began = [], None, time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        outcome = "failed" if self.problems else "passed" if self.reason is None else "skipped"
        self.send(test.id(), outcome)
        self.problems, self.reason = [], None

    def send(self, name, outcome):
        print(json.dumps({
            "name": name, "outcome": outcome, "text": "\n".join(self.problems) or self.reason or "",
            "seconds": time.monotonic() - self.began}), file=self.out, flush=True)

    def problem(self, test, error, where=""):
        self.problems.append(where + self._exc_info_to_string(error, test))
        if not isinstance(test, unittest.TestCase):
            # Of a fixture: its tests are not run.
            self.send("", "failed")

    def addError(self, test, error):
        self.problem(test, error)

    addFailure = addError

    def addSubTest(self, test, subtest, error):
        if error:
            self.problem(test, error, f"{subtest.id()}\n")

    def addSkip(self, test, reason):
        self.reason = reason
        if not isinstance(test, unittest.TestCase):
            self.send("", "skipped")

    def addUnexpectedSuccess(self, test):
        self.problems.append("it was expected to fail")


class Unit:
    """Tests for one process."""

    def __init__(self, seconds):
        self.tests, self.seconds = [], seconds

    def start(self):
        reading, writing = os.pipe()
        self.output = tempfile.TemporaryFile("w+", errors="backslashreplace")
        self.waiting = {test.id() for test in self.tests}
        self.fixture = None
        self.began = time.monotonic()
        sys.stdout.flush()
        self.process = os.fork()
        if self.process == 0:
            os.close(reading)
            self._run(writing)
        os.close(writing)
        self.pipe, self.rest = reading, b""

    def _run(self, writing):
        status = 1
        try:
            # A group of its own, so that it can be ended with whatever it has started.
            os.setpgid(0, 0)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            for stream in (1, 2):
                os.dup2(self.output.fileno(), stream)
            faulthandler.enable()
            with os.fdopen(writing, "w") as out:
                unittest.TestSuite(self.tests).run(Reporter(out))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def printed(self):
        self.output.seek(0)
        return self.output.read()


class Runner:
    def __init__(self, jobs):
        self.jobs = jobs
        self.running = {}
        self.selector = selectors.DefaultSelector()
        self.counts = dict.fromkeys(OUTCOMES, 0)
        self.failed, self.times = [], []
        # What a test's process leaves behind becomes ours: it is told, and ended.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def run(self, units):
        began = time.monotonic()
        waiting = sorted(units, key=lambda unit: unit.seconds)
        try:
            while waiting or self.running:
                while waiting and len(self.running) < self.jobs:
                    self._start(waiting.pop())
                for key, _ in self.selector.select(1):
                    self._read(key.data)
                for unit in list(self.running.values()):
                    if time.monotonic() - unit.began > LIMIT:
                        # Its traceback comes with it.
                        os.kill(unit.process, signal.SIGABRT)
                        unit.began = time.monotonic()
        finally:
            for unit in self.running.values():
                os.killpg(unit.process, signal.SIGKILL)
            left = self._end_left_behind()
        if left:
            self._tell("", "failed", "left behind: " + ", ".join(left), 0)
        return time.monotonic() - began

    def _start(self, unit):
        unit.start()
        self.running[unit.process] = unit
        self.selector.register(unit.pipe, selectors.EVENT_READ, unit)

    def _read(self, unit):
        data = os.read(unit.pipe, 1 << 16)
        *lines, unit.rest = (unit.rest + data).split(b"\n")
        for told in map(json.loads, lines):
            if told["name"]:
                unit.waiting.discard(told["name"])
                self._tell(told["name"], told["outcome"], told["text"], told["seconds"])
            else:
                unit.fixture = told
        if not data:
            self._end(unit)

    def _end(self, unit):
        self.selector.unregister(unit.pipe)
        os.close(unit.pipe)
        _, status = os.waitpid(unit.process, 0)
        del self.running[unit.process]
        broken = {"outcome": "failed", "text": f"the process of this test ended with status {status}"}
        for name in sorted(unit.waiting):
            told = unit.fixture or broken
            self._tell(name, told["outcome"], told["text"], 0)
        if status and not unit.waiting:
            self._tell(unit.tests[-1].id(), "failed", broken["text"], 0)
        printed = unit.printed()
        if printed:
            print(f"--- printed by {unit.tests[0].id()}{' and others' if len(unit.tests) > 1 else ''}\n{printed}---")
        unit.output.close()

    def _tell(self, name, outcome, text, seconds):
        self.counts[outcome] += 1
        self.times.append((seconds, name))
        words = {"passed": "ok", "failed": "FAILED", "skipped": f"skipped: {text}"}[outcome]
        print(f"{name or 'afterwards'} ... {words} ({seconds:.1f} s)" if outcome != "skipped" else
              f"{name} ... {words}", flush=True)
        if outcome == "failed":
            self.failed.append(name or text)
            print(text, flush=True)

    def _end_left_behind(self):
        """Ends what still runs of what the tests have started, by its id; answers what that was."""
        told = []
        while True:
            left = children(os.getpid())
            for process, command in left:
                if process not in self.running and command:
                    told.append(f"{process} {command}")
                try:
                    os.kill(process, signal.SIGKILL)
                    os.waitpid(process, 0)
                except (ProcessLookupError, ChildProcessError):
                    pass
            if not left:
                return told


def children(parent):
    """Processes whose parent that is, and their command lines: "" of one that has ended."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                if int(file.read().rsplit(")", 1)[1].split()[1]) != parent:
                    continue
            with open(f"/proc/{entry}/cmdline") as file:
                found.append((int(entry), file.read().replace("\0", " ").strip()))
        except OSError:
            pass
    return found


def tests_in(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from tests_in(item)
        else:
            yield item


def units_of(tests):
    """The tests, together where they share a fixture."""
    units = {}
    for test in tests:
        kind, module = type(test), sys.modules[type(test).__module__]
        seconds = getattr(kind, "seconds", getattr(module, "seconds", 1))
        if hasattr(module, "setUpModule"):
            key = module
        elif kind.setUpClass.__func__ is not unittest.TestCase.setUpClass.__func__:
            key = kind
        else:
            key = test.id()
        units.setdefault(key, Unit(seconds)).tests.append(test)
    return list(units.values())


def is_chosen(name, patterns):
    return not patterns or any(
        fnmatch.fnmatchcase(name, pattern) if "*" in pattern else pattern in name for pattern in patterns)


def main(directory, top):
    parser = argparse.ArgumentParser(
        prog=f"python3 {os.path.relpath(directory)}", description="The tests there, side by side.",
        epilog="It ends with 0 when all passed, with 1 when one failed, and with 5 when there was none.")
    parser.add_argument("patterns", metavar="NAME", nargs="*", help="a part of MODULE.CLASS.TEST, or a pattern with *")
    parser.add_argument("--jobs", type=int, default=min(12, 3 * (os.cpu_count() or 1)),
                        help="processes at a time (%(default)s)")
    parser.add_argument("--times", action="store_true", help="tell at the end which tests took longest")
    options = parser.parse_args()
    found = unittest.TestLoader().discover(directory, top_level_dir=top)
    tests = [test for test in tests_in(found) if is_chosen(test.id(), options.patterns)]
    if not tests:
        print(f"no test has {' or '.join(options.patterns) or 'a name'} in its name", file=sys.stderr)
        return 5
    runner = Runner(max(1, options.jobs))
    seconds = runner.run(units_of(tests))
    if options.times:
        for taken, name in sorted(runner.times, reverse=True)[:20]:
            print(f"{taken:7.1f} s  {name}")
    for name in runner.failed:
        print(f"FAILED: {name}")
    passed, failed, skipped = (runner.counts[outcome] for outcome in OUTCOMES)
    print(f"\nRan {len(tests)} tests in {seconds:.1f} s, {options.jobs} at a time: {'FAILED' if failed else 'OK'}")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0 if passed or skipped else 5
