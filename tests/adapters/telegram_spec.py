"""What the published description of the Bot API says against a request, where it lies at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[3] / "shared" / "specs" / "telegram_api.json"
LIMIT = re.compile(r"(\d+)-(\d+) (characters|bytes)")
FLAGS = {"true": True, "false": False}


@cache
def description() -> Mapping[str, Any] | None:
    """The description; None where it is not at hand, and nothing is checked."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else None


def problems(method: str, given: Mapping[str, str], files: Mapping[str, bytes]) -> Iterator[str]:
    """What is wrong with a request: its form fields and uploads."""
    api = description()
    if api is None:
        return
    if method not in api["methods"]:
        yield f"there is no method {method}"
        return
    fields = api["methods"][method].get("fields", [])
    known = {field["name"]: field for field in fields}
    for name in given:
        if name not in known and f"attach://{name}" not in "".join(given.values()):
            yield f"{method} has no parameter {name}"
    for field in fields:
        name = field["name"]
        if name in given:
            value = decoded(given[name], field["types"])
            yield from wrong(value, field, f"{method}.{name}", files)
        elif name in files:
            if "InputFile" not in field["types"]:
                yield f"{method}.{name} cannot be a file"
        elif field["required"]:
            yield f"{method} lacks {name}"


def decoded(text: str, types: list[str]) -> Any:
    """A form field as JSON, unless it is a plain text."""
    if text in FLAGS and "Boolean" in types:
        return FLAGS[text]
    if types in (["String"], ["InputFile", "String"]):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def wrong(value: Any, field: Mapping[str, Any], path: str, files: Any) -> Iterator[str]:
    """What is wrong with a value: it must be of one of the field's types, and in its limits."""
    found = [list(of_type(value, kind, path, files)) for kind in field["types"]]
    if all(found):
        yield from min(found, key=len)
    limit = LIMIT.search(field["description"])
    if isinstance(value, str) and limit:
        units = len(value.encode("utf-16-le")) // 2
        length = len(value.encode()) if limit[3] == "bytes" else units
        if not int(limit[1]) <= length <= int(limit[2]):
            yield f"{path} has {length} {limit[3]}, but may have {limit[0]}"


def of_type(value: Any, kind: str, path: str, files: Any) -> Iterator[str]:
    simple = {"String": str, "Integer": int, "Boolean": bool, "Float": (int, float), "True": bool}
    if kind.startswith("Array of "):
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for number, one in enumerate(value):
            yield from of_type(one, kind.removeprefix("Array of "), f"{path}[{number}]", files)
    elif kind in simple:
        is_flag = isinstance(value, bool) and kind not in ("Boolean", "True")
        if not isinstance(value, simple[kind]) or is_flag:  # type: ignore[arg-type]
            yield f"{path} is no {kind}: {value!r}"
    elif kind == "InputFile":
        if not (isinstance(value, str) and value.removeprefix("attach://") in files):
            yield f"{path} is no file"
    else:
        yield from of_object(value, kind, path, files)


def of_object(value: Any, kind: str, path: str, files: Any) -> Iterator[str]:
    api = description()
    assert api is not None
    about = api["types"][kind]
    if "subtypes" in about:
        found = [list(of_object(value, one, path, files)) for one in about["subtypes"]]
        if all(found):
            yield from min(found, key=len)
        return
    if not isinstance(value, dict):
        yield f"{path} is no {kind}"
        return
    fields = {field["name"]: field for field in about.get("fields", [])}
    yield from (f"{path} has no {name}" for name in value if name not in fields)
    for name, field in fields.items():
        if name in value:
            yield from wrong(value[name], field, f"{path}.{name}", files)
            must_be = re.search(r"must be (?:always )?“?([a-z_]+)”?$", field["description"])
            if name == "type" and must_be and value[name] != must_be[1]:
                yield f"{path}.type is {value[name]}, not {must_be[1]}"
        elif field["required"]:
            yield f"{path} lacks {name}"
