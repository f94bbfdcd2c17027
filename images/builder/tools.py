"""Debian's programs that make file systems, from an unpacked root of this machine's own architecture."""

import glob
import os
import subprocess

from .elf import Elf


class Tools:
    """Runs a root's programs with the root's libraries, so that the same versions work everywhere."""

    def __init__(self, root, epoch):
        self.root = root
        folders = [os.path.join(root, "usr/lib")] + sorted(glob.glob(os.path.join(root, "usr/lib/*-linux-gnu*")))
        self.library_path = ":".join(folders)
        # Times that are not given are this one, and none depends on where somebody lives.
        self.environment = {
            **os.environ, "SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC", "LC_ALL": "C", "MTOOLS_SKIP_CHECK": "1",
            "MKE2FS_CONFIG": os.path.join(root, "etc/mke2fs.conf")}

    def find(self, name):
        for folder in ("usr/bin", "usr/sbin"):
            path = os.path.join(self.root, folder, name)
            if os.path.exists(path):
                return os.path.realpath(path)
        raise FileNotFoundError(f"{self.root} has no program {name}")

    def command(self, name, *arguments):
        path = self.find(name)
        # The root's own: a loader serves the C library that it came with only.
        loader = Elf(path).interpreter()
        head = [os.path.join(self.root, loader.lstrip("/")), "--library-path", self.library_path, "--argv0", name] if loader else []
        return [*head, path, *map(str, arguments)]

    def run(self, name, *arguments, standard_input=None, good=(0,)):
        """What it prints; an error with its own words when it fails."""
        result = subprocess.run(
            self.command(name, *arguments), env=self.environment, input=standard_input, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if result.returncode not in good:
            raise BuildError(f"{name}: {(result.stderr or result.stdout).strip()}")
        return result.stdout


class BuildError(Exception):
    """Said without a trace: whoever builds can do something about it."""
