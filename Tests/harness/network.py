"""A network of a program's own, which a test can cut, or let lose and delay packets: a namespace behind a pair of
virtual Ethernet devices. Needs the rights of root; `why_not()` says what is missing."""

import itertools
import os
import subprocess

from .reservation import reserved

numbers = itertools.count(1)


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def why_not():
    """Why there can be no such network here; None: there can."""
    try:
        Network().close()
        return None
    except FileNotFoundError:
        return "needs the package iproute2"
    except subprocess.CalledProcessError as error:
        return f"needs network namespaces and the rights of root: {error.stderr.strip()}"


class Network:
    """`host` is this side's address, where a broker may listen; `wrapper` puts a program on the other side."""

    def __init__(self):
        number = next(numbers)
        self.name = f"swiftlet-{os.getpid()}-{number}"
        # A device's name has 15 characters.
        self.near, self.far = (f"sw{os.getpid() % 10**7}{side}{number}" for side in "ab")
        block = 4 * reserved("network", range(64 * 256))
        network = f"10.213.{block // 256 % 256}"
        self.host, inside = f"{network}.{block % 256 + 1}", f"{network}.{block % 256 + 2}"
        self.wrapper = ["ip", "netns", "exec", self.name]
        ip("netns", "add", self.name)
        try:
            ip("link", "add", self.near, "type", "veth", "peer", "name", self.far, "netns", self.name)
            ip("address", "add", f"{self.host}/30", "dev", self.near)
            ip("link", "set", self.near, "up")
            ip("-n", self.name, "address", "add", f"{inside}/30", "dev", self.far)
            ip("-n", self.name, "link", "set", self.far, "up")
        except BaseException:
            self.close()
            raise

    def cut(self):
        ip("link", "set", self.near, "down")

    def mend(self):
        ip("link", "set", self.near, "up")

    def disturb(self, *netem):
        """Both ways: what `tc` may say of netem, such as `loss 30% delay 200ms`. Raises CalledProcessError where the
        kernel has none."""
        for where, device in ([], self.near), (["-n", self.name], self.far):
            subprocess.run(["tc", *where, "qdisc", "replace", "dev", device, "root", "netem", *" ".join(netem).split()],
                           check=True, capture_output=True, text=True)

    def close(self):
        subprocess.run(["ip", "link", "delete", self.near], capture_output=True)
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
