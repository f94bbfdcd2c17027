"""Which packages an image has files of: versions, hashes, licences."""

import hashlib
import os
import re
import subprocess


def packages(roots, pool, used):
    """The packages of these roots that one of the used files is from."""
    found = {}
    for root in roots:
        names = {os.path.relpath(os.path.realpath(path), os.path.realpath(root)) for path in used
                 if os.path.realpath(path).startswith(os.path.realpath(root) + os.sep)}
        with open(os.path.join(root, ".debian-fetch"), encoding="utf-8") as stamp:
            archives = sorted({line.strip() for line in stamp if line.startswith("  ")})
        for archive in archives:
            path = os.path.join(pool, archive)
            if names & contents(path):
                found[archive] = describe(path, root)
    return [found[archive] for archive in sorted(found)]


def contents(archive):
    """Its files, in the tree where /lib is /usr/lib."""
    tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE, check=True).stdout
    listing = subprocess.run(["tar", "-t"], input=tar, stdout=subprocess.PIPE, check=True).stdout.decode()
    return {re.sub(r"^(lib|bin|sbin)/", r"usr/\1/", line.removeprefix("./")) for line in listing.splitlines()}


def describe(archive, root):
    fields = subprocess.run(
        ["dpkg-deb", "--showformat", "${Package}|${Version}|${Architecture}", "--show", archive],
        stdout=subprocess.PIPE, text=True, check=True).stdout.split("|")
    with open(archive, "rb") as file:
        checksum = hashlib.sha256(file.read()).hexdigest()
    return dict(zip(("package", "version", "architecture"), fields)) | {
        "sha256": checksum, "licences": licences(os.path.join(root, "usr/share/doc", fields[0], "copyright"))}


def licences(path):
    """The short names in a copyright file that a program can read; otherwise the file's place in the package."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            names = set(re.findall(r"^License:[ \t]*(\S.*)$", file.read(), re.M))
    except FileNotFoundError:
        names = set()
    return sorted(names) or ["see /usr/share/doc/*/copyright in the package"]
