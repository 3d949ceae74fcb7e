"""docs/reference/ui-proxy-api.md: the JSON API of spark-ui-proxy, from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from kindling_dev.settings import REPO

PAGE = REPO / "docs/reference/ui-proxy-api.md"
_DOCUMENT = REPO / "src/spark_ui_proxy/openapi.yaml"
_HEAD = """# The API of spark-ui-proxy

<!-- Written by scripts/generate from src/spark_ui_proxy/openapi.yaml; a test holds every answer to it. -->

{description}
Paths are below the base path of the service, which serves the document itself at `/-/openapi.json`. Errors are
`application/problem+json` (RFC 9457), in a line.

```sh
curl --header "Authorization: Bearer $(kubectl create token NAME)" \\
  "https://spark.example.com/spark/-/api/v1/applications?state=failed&namespace=team-a"
```
"""


def write_page() -> Path:
    """Write the page; return its path."""
    PAGE.write_text(text())
    return PAGE


def text() -> str:
    """The page."""
    document = yaml.safe_load(_DOCUMENT.read_text())
    schemas = document["components"]["schemas"]
    parts = [_HEAD.format(description=document["info"]["description"])]
    for path, methods in document["paths"].items():
        parts.append(f"## GET `{path}`\n\n{methods['get']['summary']}\n\n{_parameters(methods['get'])}")
    for name in ("Application", "Progress", "State", "ApplicationList", "Namespace"):
        parts.append(f"## {name}\n\n{_schema(schemas[name])}")
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _parameters(get: dict[str, Any]) -> str:
    raw = get.get("parameters", [])
    return (
        _table("query" if any(item["in"] == "query" for item in raw) else "in the path", _described(raw)) if raw else ""
    )


def _described(parameters: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for item in parameters:
        default = item["schema"].get("default")
        yield item["name"], item["description"] + ("" if default is None else f" (default: {default})")


def _schema(schema: dict[str, Any]) -> str:
    if "properties" not in schema:
        return str(schema["description"])
    return _table("field", ((name, _meaning(field)) for name, field in schema["properties"].items()))


def _meaning(field: dict[str, Any]) -> str:
    said = [str(field["description"])] if "description" in field else []
    for name, inner in field.get("properties", {}).items():
        said.append(f"`{name}`: {_meaning(inner)}")
    for part in (field, field.get("items", {}), *field.get("oneOf", [])):
        if "$ref" in part:
            name = part["$ref"].rpartition("/")[2]
            said.append(f"[{name}](#{name.lower()})")
        if part is not field:
            said += [f"`{name}`: {_meaning(inner)}" for name, inner in part.get("properties", {}).items()]
    return "; ".join(said)


def _table(heading: str, rows: Iterator[tuple[str, str]]) -> str:
    lines = [f"| {heading} | |", "|---|---|", *(f"| `{name}` | {meaning} |" for name, meaning in rows)]
    return "\n".join(lines) + "\n"
