"""Checks request bodies against Discord's own description of its interface (OpenAPI 3.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

SPEC = Path(__file__).parents[3] / "shared" / "specs" / "discord_openapi.json"
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


@cache
def spec() -> Mapping[str, Any] | None:
    """The description; None where it does not lie beside the repository."""
    return json.loads(SPEC.read_text(encoding="utf-8")) if SPEC.exists() else None


def problems(method: str, path: str, body: object) -> list[str]:
    """What is wrong with a JSON body by the description; nothing where there is none."""
    whole = spec()
    if whole is None:
        return []
    schema = schema_of(whole, method, path)
    if schema is None:
        return [f"{method} {path} is not described"]
    return [f"{method} {path}: {line}" for line in wrong(whole, schema, body, "body")]


def schema_of(whole: Mapping[str, Any], method: str, path: str) -> Any:
    """The schema of a request; of several paths that match the one with most literal letters."""
    found = []
    for template, methods in whole["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if method.lower() in methods and re.fullmatch(pattern, path):
            found.append((len(re.sub(r"\{\w+\}", "", template)), template))
    if not found:
        return None
    body = whole["paths"][max(found)[1]][method.lower()].get("requestBody", {})
    return body.get("content", {}).get("application/json", {}).get("schema", {})


def wrong(whole: Mapping[str, Any], schema: Any, value: object, where: str) -> Iterator[str]:
    """Every way in which a value does not follow a schema."""
    if "$ref" in schema:
        if schema["$ref"].endswith("/SnowflakeType") and is_kind(value, "integer"):
            return  # Discord takes ids as numbers, too
        target: Any = whole
        for name in schema["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        yield from wrong(whole, target, value, where)
    for part in schema.get("allOf", ()):
        yield from wrong(whole, part, value, where)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        failures = [list(wrong(whole, one, value, where)) for one in choices]
        if all(failures):
            yield min(failures, key=len)[0]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_kind(value, kind) for kind in kinds):
        yield f"{where} is {value!r:.60}, not {' or '.join(kinds)}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{where} is {value!r:.60}, not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is {value!r:.60}, not one of {schema['enum']}"
    yield from out_of_bounds(schema, value, where)
    if isinstance(value, dict):
        yield from wrong_object(whole, schema, value, where)
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from wrong(whole, schema.get("items", {}), one, f"{where}[{index}]")


def is_kind(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind])


def wrong_object(
    whole: Mapping[str, Any], schema: Any, value: dict[str, Any], where: str
) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where} lacks {name}"
    known = schema.get("properties", {})
    rest = schema.get("additionalProperties", {})
    for name, one in value.items():
        if name in known:
            yield from wrong(whole, known[name], one, f"{where}.{name}")
        elif rest is False:
            yield f"{where}.{name} is not known"
        elif isinstance(rest, dict):
            yield from wrong(whole, rest, one, f"{where}.{name}")


def out_of_bounds(schema: Any, value: object, where: str) -> Iterator[str]:
    if isinstance(value, str | list):
        ending = "Length" if isinstance(value, str) else "Items"
        low, high = schema.get(f"min{ending}", 0), schema.get(f"max{ending}", len(value))
        if not low <= len(value) <= high:
            yield f"{where} has the length {len(value)}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where} is {value!r:.60}, not like {schema['pattern']}"
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{where} is {value}, out of bounds"
