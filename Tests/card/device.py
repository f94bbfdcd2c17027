"""The device of the image test: that of scripts/hil, and readings that outlive the power."""

from hil import scenarios

CONFIGURATION = scenarios.CONFIGURATION.replace(
    "mqtt: mqtt://10.0.2.100:1883\n",
    "mqtt:\n  url: mqtt://10.0.2.100:1883\n  outbox: { path: /var/lib/swiftlet/outbox.db }\n").replace(
        "    address: 0x48\n    every: 1s\n", "    address: 0x48\n    every: 1s\n    keep: disk\n")
