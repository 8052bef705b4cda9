"""Holds a device discovery payload (standard input) against the schemas of the Home Assistant that is installed beside
this Python. Home Assistant itself forgives unknown keys of a component; this does not. Prints a line for each problem."""

import asyncio
import importlib
import json
import sys

import homeassistant.const
from homeassistant.components.mqtt import schemas
from homeassistant.components.mqtt.abbreviations import ABBREVIATIONS, DEVICE_ABBREVIATIONS, ORIGIN_ABBREVIATIONS
from homeassistant.core import HomeAssistant

# What a component gets from the device's own keys, where its platform knows the key.
SHARED = ("availability_topic", "state_topic")
# What the shipped broker lets through.
LONGEST = 8192


def in_full(keys, names):
    return {names.get(key, key): value for key, value in keys.items()}


def problems(text):
    if len(text) > LONGEST:
        yield f"the payload has {len(text)} bytes: the broker drops it"
    payload = in_full(json.loads(text), ABBREVIATIONS)
    payload["device"] = in_full(payload["device"], DEVICE_ABBREVIATIONS)
    payload["origin"] = in_full(payload["origin"], ORIGIN_ABBREVIATIONS)
    components = payload["components"] = {
        name: in_full(component, ABBREVIATIONS) for name, component in payload["components"].items()
    }
    try:
        schemas.DEVICE_DISCOVERY_SCHEMA(payload)
    except Exception as error:  # of another library in each version
        yield f"the device: {error}"
    seen = set()
    for name, component in components.items():
        platform = component["platform"]
        module = importlib.import_module(f"homeassistant.components.mqtt.{platform}")
        config = {key: value for key, value in component.items() if key != "platform"}
        for key in SHARED:
            if key in payload and not (key == "state_topic" and platform == "button"):
                config.setdefault(key, payload[key])
        for schema in (module.PLATFORM_SCHEMA_MODERN, module.DISCOVERY_SCHEMA):
            try:
                schema(config)
            except Exception as error:
                yield f"{name}: {error}"
        for key in ("unique_id", "default_entity_id"):
            if component[key] in seen:
                yield f"{name}: {component[key]} is there twice"
            seen.add(component[key])
        if not component["default_entity_id"].startswith(f"{platform}."):
            yield f"{name}: its default_entity_id is of another platform"


async def main():
    home = HomeAssistant("/nonexistent")  # what checks templates asks for one that runs
    found = list(problems(sys.stdin.buffer.read()))
    print("\n".join(found) or f"Home Assistant {homeassistant.const.__version__} knows every key.")
    await home.async_stop(force=True)
    return 1 if found else 0


sys.exit(asyncio.run(main()))
