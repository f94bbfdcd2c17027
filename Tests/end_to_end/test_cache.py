"""scripts/lib/cache.sh: an entry is exactly what was put there, or it is made again."""

import os
import shutil
import subprocess
import tempfile
import unittest

from harness.device import ROOT

SCRIPT = os.path.join(ROOT, "scripts", "lib", "cache.sh")
MAKER = f"""
set -euo pipefail
. '{SCRIPT}'
make() {{ echo made; mkdir "$1/inner"; echo text >"$1/inner/file"; ln -s inner/file "$1/link"; ${{FAIL:-true}}; }}
cache_entry "$ENTRY" make
"""


class Directory(unittest.TestCase):

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="swiftlet-cache-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.copy = os.path.join(self.directory, "checkout", "scripts", "lib", "cache.sh")
        os.makedirs(os.path.dirname(self.copy))
        shutil.copy(SCRIPT, self.copy)
        open(os.path.join(self.directory, "file"), "w").close()

    def ask(self, **variables):
        result = subprocess.run([self.copy], capture_output=True, text=True, timeout=10,
                                env={"PATH": os.environ["PATH"], **variables})
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertTrue(os.path.isdir(result.stdout.rstrip("\n")))
        return os.path.relpath(result.stdout.rstrip("\n"), os.path.realpath(self.directory))

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def test_it_is_the_one_that_is_named_or_the_user_s_or_else_in_the_checkout(self):
        home, other = self.path("home"), self.path("other")
        self.assertEqual(self.ask(SWIFTLET_CACHE=self.path("named"), HOME=home), "named")
        self.assertEqual(self.ask(HOME=home, XDG_CACHE_HOME=other), "other/swiftlet")
        self.assertEqual(self.ask(HOME=home), "home/.cache/swiftlet")
        self.assertEqual(self.ask(), "checkout/.cache")
        self.assertEqual(self.ask(HOME=self.path("file")), "checkout/.cache")


class Entry(unittest.TestCase):

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="swiftlet-cache-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.entry = os.path.join(self.directory, "entry")
        self.assertTrue(self.makes())

    def path(self, name):
        return os.path.join(self.entry, name)

    def maker(self, **variables):
        return subprocess.run(["bash", "-c", MAKER], capture_output=True, text=True, timeout=10,
                              env={**os.environ, "ENTRY": self.entry, **variables})

    def makes(self):
        """Asks for the entry, which must be whole then; whether it had to be made."""
        result = self.maker()
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(self.path("link")) as file:
            self.assertEqual(file.read(), "text\n")
        self.assertEqual(sorted(os.listdir(self.directory)), ["entry", "entry.lock"])
        return "made" in result.stdout

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)

    def test_what_is_there_is_not_made_again(self):
        self.assertFalse(self.makes())

    def test_whatever_happens_to_it_it_is_made_again(self):
        for name, damage in {
            "other bytes": lambda: self.write("inner/file", "tent\n"),
            "cut short": lambda: self.write("inner/file", ""),
            "removed": lambda: os.remove(self.path("inner/file")),
            "one more": lambda: self.write("more", ""),
            "another target": lambda: (os.remove(self.path("link")), os.symlink("inner", self.path("link"))),
            "half a manifest": lambda: self.write(".manifest", ""),
            "not finished": lambda: os.remove(self.path(".manifest")),
            "left by a killed maker": lambda: (shutil.rmtree(self.entry), os.mkdir(self.entry + ".work.killed")),
        }.items():
            with self.subTest(name):
                damage()
                self.assertTrue(self.makes())
                self.assertFalse(self.makes())

    def test_a_maker_that_fails_leaves_nothing(self):
        shutil.rmtree(self.entry)
        result = self.maker(FAIL="false")
        self.assertNotEqual(result.returncode, 0)
        self.assertEqual(os.listdir(self.directory), ["entry.lock"])
        self.assertTrue(self.makes())


if __name__ == "__main__":
    unittest.main()
