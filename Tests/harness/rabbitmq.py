"""A RabbitMQ of one's own with its MQTT plug-in, from Debian's package. Nothing of the machine's own RabbitMQ is
touched: directories, names and ports are all private, and no process outlives it."""

import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile

from .reservation import free_port
from .waiting import PATIENCE, wait_until

# Debian's wrapper in /usr/sbin wants to be the user rabbitmq in /var/lib/rabbitmq; this is what it calls.
PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"


def version():
    """Of the installed package, such as (3, 10); None: not installed."""
    for path in glob.glob("/usr/lib/rabbitmq/lib/rabbitmq_server-*"):
        return tuple(int(number) for number in re.findall(r"\d+", os.path.basename(path))[:2])
    return None


class RabbitMQ:
    """Takes anonymous clients, and `guest` with the password `guest`. What it has stored survives kill() and
    start()."""

    def __init__(self):
        if not os.path.exists(PROGRAM):
            raise FileNotFoundError(f"{PROGRAM}: 'scripts/setup rabbitmq' installs it")
        self.port = free_port()
        self.directory = tempfile.mkdtemp(prefix="swiftlet-rabbitmq-")
        self.log_path = self.path("log")
        # Who does not log in is this user.
        anonymous = ("mqtt.default_user = guest", "mqtt.default_pass = guest") if version() < (4, 0) else \
            ("anonymous_login_user = guest", "anonymous_login_pass = guest")
        with open(self.path("rabbitmq.conf"), "w") as file:
            file.write("\n".join([
                "listeners.tcp = none", f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.port}",
                "mqtt.allow_anonymous = true", *anonymous,
                "log.file = false", "log.console = true", ""]))
        with open(self.path("plugins"), "w") as file:
            file.write("[rabbitmq_mqtt].\n")
        # The machine's own name needs no lookup, which can take seconds.
        with open(self.path("inetrc"), "w") as file:
            file.write("{lookup, [file]}.\n{host, {127,0,0,1}, [\"localhost\"]}.\n")
        self.names = free_port()
        distribution = free_port()
        self.environment = {
            "PATH": os.environ.get("PATH", "") + ":/usr/bin:/bin", "HOME": self.directory, "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self.names), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_INETRC": self.path("inetrc"),
            "RABBITMQ_NODENAME": f"swiftlet{self.port}@localhost", "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_CONFIG_FILE": self.path("rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": self.path("none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": self.path("plugins"), "RABBITMQ_MNESIA_BASE": self.path("data"),
            "RABBITMQ_LOG_BASE": self.path("logs"), "RABBITMQ_GENERATED_CONFIG_DIR": self.path("generated"),
            "RABBITMQ_SCHEMA_DIR": self.path("schema"), "RABBITMQ_PID_FILE": self.path("pid")}
        # Erlang's name service. One that nodes start for themselves would outlive them.
        self.epmd = subprocess.Popen(
            ["epmd", "-port", str(self.names), "-address", "127.0.0.1"], env=self.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process = None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        """Takes some 10 s."""
        begin = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM], env=self.environment, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)

        def is_up():
            if self.process.poll() is not None:
                raise RuntimeError(f"RabbitMQ ended:\n{self.log(begin)[-3000:]}")
            return "Server startup complete" in self.log(begin)
        wait_until(is_up, 4 * PATIENCE, "RabbitMQ is up")

    def log(self, begin=0):
        with open(self.log_path, errors="replace") as file:
            file.seek(begin)
            return file.read()

    def kill(self):
        """The script, the virtual machine and its helpers, which are one group of processes."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def close(self):
        if self.process:
            self.kill()
        self.epmd.kill()
        self.epmd.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
