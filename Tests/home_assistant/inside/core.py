"""Home Assistant's core with its MQTT integration and nothing else; runs in Home Assistant's Python.

usage: core.py PORT

Does what lines of JSON on standard input say, and answers each with a line:
  {"do": "states"}      every entity: its state, attributes and area
  {"do": "devices"}     the device registry
  {"do": "call", "domain": …, "service": …, "data": {…}}
"""

import asyncio
import json
import logging
import os
import sys
from types import MappingProxyType

from homeassistant import auth, bootstrap, config_entries, loader
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry, device_registry, entity_registry
from homeassistant.setup import async_setup_component

logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
CONFIGURATION = "/configuration"


async def start(port):
    os.makedirs(CONFIGURATION, exist_ok=True)
    open(os.path.join(CONFIGURATION, "configuration.yaml"), "w").close()
    hass = HomeAssistant(CONFIGURATION)
    # Everything it needs is here, and nothing is to be installed.
    hass.config.skip_pip = True
    hass.config.internal_url = "http://127.0.0.1:8123"
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    hass.auth = await auth.auth_manager_from_config(hass, [], [])
    await async_setup_component(hass, "homeassistant", {})
    entry = config_entries.ConfigEntry(
        domain="mqtt", title="broker", source="user", version=2, minor_version=1, unique_id=None, options={},
        data={"broker": "127.0.0.1", "port": port, "protocol": "5"}, discovery_keys=MappingProxyType({}),
        subentries_data=[])
    await hass.config_entries.async_add(entry)
    await hass.async_start()
    return hass, entry


def states(hass):
    entities = entity_registry.async_get(hass)
    answer = {}
    for state in hass.states.async_all():
        entry = entities.async_get(state.entity_id)
        answer[state.entity_id] = {
            "state": state.state, "unique_id": entry and entry.unique_id,
            **{str(key): str(value) for key, value in state.attributes.items()}}
    return answer


def devices(hass):
    areas = area_registry.async_get(hass)
    return [
        {"name": device.name, "manufacturer": device.manufacturer, "model": device.model,
         "version": device.sw_version, "area": device.area_id and areas.async_get_area(device.area_id).name}
        for device in device_registry.async_get(hass).devices]


async def obey(hass, order):
    if order["do"] == "states":
        return states(hass)
    if order["do"] == "devices":
        return devices(hass)
    await hass.services.async_call(order["domain"], order["service"], order["data"], blocking=True)
    return {}


async def main():
    hass, entry = await start(int(sys.argv[1]))
    print(json.dumps({"entry": entry.state.value}), flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        print(json.dumps(await obey(hass, json.loads(line))), flush=True)
    await hass.async_stop(force=True)


asyncio.run(main())
