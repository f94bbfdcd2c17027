"""Judges discovery documents with Home Assistant's own schemas; runs in Home Assistant's Python.

Reads a line of JSON for each document, {"topic": …, "payload": …}, and answers with a line: a list of what is wrong with
it, [] when nothing is. Home Assistant drops keys that it does not know without a word, so the keys that are left are
compared with those that came.
"""

import asyncio
import copy
import importlib
import json
import re
import sys

from homeassistant.components.mqtt import discovery, schemas
from homeassistant.core import HomeAssistant

PREFIX = "homeassistant/"


def check_component(platform, config):
    """What is wrong with the configuration of one entity, whose abbreviations are replaced."""
    platforms = importlib.import_module(f"homeassistant.components.mqtt.{platform}")
    accepted = platforms.DISCOVERY_SCHEMA(dict(config))
    problems = [f"key {key} is dropped" for key in sorted(set(config) - set(accepted))]
    if not config.get("unique_id"):
        problems.append("no unique_id")
    entity_id = accepted.get("default_entity_id", "")
    if not re.fullmatch(rf"{platform}\.[a-z0-9_]+", entity_id):
        problems.append(f"default_entity_id {entity_id!r} is none of {platform}'s")
    return problems


def payload(text):
    """As Home Assistant reads it, and whether a key stands there twice, which it would not notice."""
    def pairs(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise ValueError(f"a key stands twice among {names}")
        return dict(pairs)
    config = discovery.MQTTDiscoveryPayload(json.loads(text, object_pairs_hook=pairs))
    discovery._replace_all_abbreviations(config)
    return config


def check_device(config):
    problems = []
    accepted = schemas.DEVICE_DISCOVERY_SCHEMA(copy.deepcopy(config))
    for part in ("device", "origin"):
        problems += [f"key {key} of {part} is dropped" for key in set(config[part]) - set(accepted[part])]
    schemas.validate_device_discovery_components(accepted)
    seen = {}
    for name, component in config["components"].items():
        component = discovery.MQTTDiscoveryPayload(component)
        platform = component.pop("platform")
        component["device"], component["origin"] = config["device"], config["origin"]
        discovery._merge_common_device_options(component, config)
        found = check_component(platform, component)
        unique = component.get("unique_id")
        if unique in seen:
            found.append(f"unique_id {unique} is that of {seen[unique]}, too")
        seen[unique] = name
        problems += [f"{name}: {problem}" for problem in found]
    return problems


def check(topic, text):
    match = discovery.TOPIC_MATCHER.match(topic.removeprefix(PREFIX))
    if not match or not topic.startswith(PREFIX):
        return [f"{topic} is no topic of discovery"]
    try:
        config = payload(text)
        if match["component"] == "device":
            return check_device(config)
        return check_component(match["component"], config)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


async def main():
    # Templates are judged where there is a core.
    HomeAssistant("/tmp")
    print("ready", flush=True)
    for line in sys.stdin:
        document = json.loads(line)
        print(json.dumps(check(document["topic"], document["payload"])), flush=True)


asyncio.run(main())
