"""helm's refusals as exceptions that name the template, the line and the value, as far as helm says them."""

from __future__ import annotations

import re

_AT = re.compile(r'(?P<template>[^\s(:]+):(?P<line>\d+):\d+: executing "[^"]*" at <(?P<value>.*?)>: ')
_FAIL = re.compile(r"execution error at \((?P<template>[^\s:]+):(?P<line>\d+):\d+\): ")
_PARSE = re.compile(r"parse error at \((?P<template>[^\s:]+):(?P<line>\d+)\): ")
_YAML = re.compile(r"YAML parse error on (?P<template>[^\s:]+): .*?line (?P<line>\d+)", re.DOTALL)
_SCHEMA = re.compile(r"^- (?:at '/?(?P<value>[^']*)'|(?P<field>\S+)): (?P<message>.*)$", re.MULTILINE)


class HelmError(Exception):
    """helm refused; the message is what it wrote, without its "Error: ".

    Attributes:
        template: "spark-job/templates/job.yaml"; "" where none is at fault.
        line: line of the template, or of what it gave (``YamlError``), from 1; 0 where helm names none.
        value: the expression that failed (".Values.a.b") or the value that the schema refuses ("driver/cores").
    """

    def __init__(self, text: str, template: str = "", line: int = 0, value: str = "") -> None:
        super().__init__(text)
        self.template = template
        self.line = line
        self.value = value


class SchemaError(HelmError):
    """The values are not those of values.schema.json; ``value`` is the first that is refused.

    Attributes:
        refused: value's path -> all that is wrong with it, "driver/cores" -> "got string, want integer".
    """

    def __init__(self, text: str) -> None:
        found = [(match["value"] or match["field"] or "", match["message"]) for match in _SCHEMA.finditer(text)]
        super().__init__(text, value=found[0][0] if found else "")
        self.refused: dict[str, str] = {}
        for path, message in found:
            self.refused[path] = f"{self.refused[path]}; {message}" if path in self.refused else message


class RefusedError(HelmError):
    """A template called ``fail`` or ``required``."""


class TemplateError(HelmError):
    """A template cannot be parsed or executed."""


class YamlError(HelmError):
    """What a template gave is no YAML."""


def complaint(stderr: str) -> str:
    """What helm complains of at its end, without the warnings that it wrote before."""
    _, found, said = f"\n{stderr}".partition("\nError: ")
    return (said if found else stderr).strip()


def helm_error(text: str) -> HelmError:
    """What helm wrote, as the exception of its kind."""
    if "values don't meet the specifications of the schema" in text:
        return SchemaError(text)
    if match := _FAIL.search(text):
        return RefusedError(text, match["template"], int(match["line"]))
    if match := _YAML.search(text):
        return YamlError(text, match["template"], int(match["line"]))
    if match := _PARSE.search(text):
        return TemplateError(text, match["template"], int(match["line"]))
    if calls := list(_AT.finditer(text)):
        innermost = calls[-1]
        return TemplateError(text, innermost["template"], int(innermost["line"]), innermost["value"])
    return HelmError(text)
