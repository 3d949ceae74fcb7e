"""Helm's records of releases: what they say of themselves, the objects that they hold, and how to write them.

Helm keeps each revision of a release in a Secret or (``HELM_DRIVER=configmap``) a ConfigMap, in its namespace:
JSON, compressed, in base64 (helm's ``pkg/storage/driver/util.go``; the same for Helm 3 and 4). Its ``manifest`` is what
an upgrade compares with and an uninstall removes: a kind in it that is gone from the API server ends both.
"""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import yaml
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from kindling import paging
from kindling.connection import TIMEOUT_S, Connection, message_of
from kindling.errors import KindlingError
from kindling.foreign import DEEPEST, one_line, read_json, unpacked

_PAGE = 20  # records of up to a megabyte, in base64 twice
_MOST_RECORDS = 5_000
MOST_UNPACKED = 16 * 1024 * 1024
"""Bytes of a record: Kubernetes keeps one megabyte of it, which gzip may make of a gigabyte."""
_LONGEST_OBJECT = 1024 * 1024  # characters
_MOST_MERGED = 10_000  # fields of one mapping
_MOST_FIELDS = 200_000  # of an object, those of its aliases each time that they are named
_FORBIDDEN, _NOT_FOUND = 403, 404
_DOCUMENTS = re.compile(r"^(?=---\s)", re.MULTILINE)


@dataclass(frozen=True)
class Held:
    """An object of a record: its apiVersion, kind and name; namespace "" where the manifest names none."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name} ({self.api_version})"


@dataclass(frozen=True)
class Record:
    """One revision of a release.

    Attributes:
        driver: "secret" or "configmap".
        name: of the Secret or ConfigMap, in the release's namespace.
        version: resourceVersion of that, so that helm's own writes meanwhile are not lost.
        written: when it was written last, by the API server's clock.
        content: what it holds.
    """

    driver: str
    name: str
    namespace: str
    version: str
    written: datetime
    content: dict[str, Any]

    @property
    def release(self) -> str:
        """The release's name."""
        return str(self.content["name"])

    @property
    def revision(self) -> int:
        """1 for the first."""
        return int(self.content["version"])

    @property
    def status(self) -> str:
        """helm's word for it: "deployed", "pending-upgrade"."""
        return str(self.content["info"]["status"])

    def marked(self, status: str, description: str) -> Record:
        """The same with another status, and why it has that."""
        info = {**self.content["info"], "status": status, "description": description}
        return replace(self, content={**self.content, "info": info})

    def held(self) -> list[Held]:
        """The objects of its manifest; hooks apart."""
        return [held for _, held in self._documents if held]

    def joined(self, others: Iterable[Record]) -> Record:
        """The same with the objects of older revisions too; an object of several has the fields of all."""
        texts: dict[Held, str] = {}
        for record in (*others, self):
            for text, held in record._documents:
                if held:
                    texts[held] = text if texts.get(held, text) == text else _merged(texts[held], text)
        manifest = "".join(f"{text.rstrip()}\n" for text in texts.values())
        return replace(self, content={**self.content, "manifest": manifest})

    def without(self, gone: Callable[[Held], bool]) -> Record:
        """The same without some of its objects."""
        kept = "".join(text for text, held in self._documents if held is None or not gone(held))
        return replace(self, content={**self.content, "manifest": kept})

    @cached_property
    def _documents(self) -> list[tuple[str, Held | None]]:
        try:
            return [(text, _held(_object(text))) for text in _DOCUMENTS.split(self.content["manifest"])]
        except ValueError as error:
            raise UnreadableError(self.driver, self.name, self.namespace, error) from None


class UnreadableError(KindlingError):
    """What is labelled as a record of helm's is none, or is larger than such records are."""

    def __init__(self, driver: str, name: str, namespace: str, why: object) -> None:
        super().__init__(
            f"{driver} {name} in {namespace} is no record of helm's that can be read: {one_line(why, 200)}"
        )


class Releases:
    """The releases of a cluster, as far as the caller may read them.

    Attributes:
        unreadable: what ``about`` passed over, a line each: whoever may make a ConfigMap may label it as helm does.
    """

    def __init__(self, connection: Connection) -> None:
        self._api = connection.api
        self._core: Any = client.CoreV1Api(connection.api)
        self._kinds: dict[str, frozenset[str] | None] = {}
        self.unreadable: list[str] = []

    def of_namespace(self, namespace: str, release: str) -> list[Record]:
        """All revisions of a release, oldest first, as far as the caller may read them.

        helm keeps a release in one kind of object. Where Secrets have it, ConfigMaps of its name are not believed: who
        submits may make those, and not these.

        Raises:
            KindlingError: there is none, or one cannot be read.
        """
        found: list[Record] = []
        unread = ""
        for driver in _DRIVERS:
            try:
                items = self._list(driver, f"owner=helm,name={release}", namespace)
                found = found or [_record(driver, item) for item in items]
            except ApiException as error:
                if error.status != _FORBIDDEN:
                    raise
                # Who keeps releases in ConfigMaps is often one who may not list Secrets.
                unread = f"; what you may not read: {message_of(error)}"
        if not found:
            raise KindlingError(
                f"namespace {namespace} has no Helm release {release}: name its namespace by -n{unread}"
            )
        return sorted(found, key=lambda record: record.revision)

    def about(self, namespace: str) -> list[Record] | None:
        """The present revisions of all releases with objects in a namespace; None: they may not be read."""
        selector = "owner=helm,status!=superseded"
        try:
            return [
                record
                for driver in _DRIVERS
                for item in self._list(driver, selector)
                if (record := self._about(driver, item, namespace))
            ]
        except ApiException as error:
            if error.status != _FORBIDDEN:
                raise
            return None
        except paging.TooManyError:
            raise KindlingError(f"there are more than {_MOST_RECORDS} records of helm's: remove what is none") from None

    def _about(self, driver: str, item: Any, namespace: str) -> Record | None:
        try:
            record = _record(driver, item)
            return record if _is_about(record, namespace) else None
        except UnreadableError as error:
            self.unreadable.append(str(error))
            return None

    def is_gone(self, held: Held) -> bool:
        """Whether the API server has no such kind."""
        if held.api_version not in self._kinds:
            self._kinds[held.api_version] = self._kinds_of(held.api_version)
        kinds = self._kinds[held.api_version]
        return kinds is not None and held.kind not in kinds

    def write(self, record: Record) -> None:
        """Put a changed record in the place of the one that was read."""
        text = b64encode(gzip.compress(json.dumps(record.content).encode())).decode()
        data = text if record.driver == "configmap" else b64encode(text.encode()).decode()
        # helm finds records by this label.
        metadata = {"resourceVersion": record.version, "labels": {"status": record.status}}
        body = {"metadata": metadata, "data": {"release": data}}
        patch = self._core.patch_namespaced_secret
        if record.driver == "configmap":
            patch = self._core.patch_namespaced_config_map
        patch(record.name, record.namespace, body, _request_timeout=TIMEOUT_S)

    def _list(self, driver: str, selector: str, namespace: str = "") -> Iterator[Any]:
        kind = _DRIVERS[driver]
        listing = getattr(self._core, f"list_namespaced_{kind}" if namespace else f"list_{kind}_for_all_namespaces")
        where = (namespace,) if namespace else ()
        listed = paging.items(listing, *where, most=_MOST_RECORDS, page=_PAGE, label_selector=selector)
        return (item for item in listed if "release" in (item.data or {}))

    def _kinds_of(self, api_version: str) -> frozenset[str] | None:
        """The kinds of an API version; None where a server behind the API server does not tell."""
        group, _, version = api_version.rpartition("/")
        try:
            if group:
                custom: Any = client.CustomObjectsApi(self._api)
                answer = custom.get_api_resources(group, version, _request_timeout=TIMEOUT_S)
            else:
                answer = self._core.get_api_resources(_request_timeout=TIMEOUT_S)
        except ApiException as error:
            return frozenset() if error.status == _NOT_FOUND else None
        return frozenset(resource.kind for resource in answer.resources)


_DRIVERS = {"secret": "secret", "configmap": "config_map"}
"""helm's name of each kind of record -> the client's."""


def _record(driver: str, item: Any) -> Record:
    text = item.data["release"]
    meta = item.metadata
    written = max([meta.creation_timestamp, *(entry.time for entry in meta.managed_fields or [] if entry.time)])
    try:
        packed = b64decode(text) if driver == "configmap" else b64decode(b64decode(text))
        content = read_json(unpacked(packed, MOST_UNPACKED))
        _check(content)
    except ValueError as error:
        raise UnreadableError(driver, meta.name, meta.namespace, error) from None
    return Record(driver, meta.name, meta.namespace, meta.resource_version, written, content)


def _check(content: Any) -> None:
    """That it has what is read of it.

    Raises:
        ValueError: it has not.
    """
    if not isinstance(content, dict) or not isinstance(content.get("info"), dict):
        raise ValueError("it has no info")
    fields = ((content, "name", str), (content, "version", int), (content, "manifest", str))
    for holder, name, kind in (*fields, (content["info"], "status", str)):
        if not isinstance(holder.get(name), kind):
            raise ValueError(f"it has no {name}")


class _Loader(yaml.SafeLoader):
    """YAML that is not deep, and whose merge keys ("<<") do not double what they merge again and again."""

    def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
        # For each token its reader looks at all levels above.
        if self.flow_level > DEEPEST:
            raise yaml.YAMLError("nested too deeply")
        super().fetch_flow_collection_start(token)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        if len(node.value) > _MOST_MERGED:
            raise yaml.YAMLError("it has too many fields")


def _object(text: str) -> Any:
    """An object of a manifest.

    Raises:
        ValueError: it is no YAML, or too much of it.
    """
    if len(text) > _LONGEST_OBJECT:
        raise ValueError(f"an object of it has more than {_LONGEST_OBJECT} characters")
    try:
        body = yaml.load(text, _Loader)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except yaml.YAMLError as error:
        raise ValueError(f"it holds no YAML: {error}") from None
    # Aliases make a billion fields of ten lines for whoever writes them out.
    left, seen = [body], 0
    while left:
        part = left.pop()
        seen += 1
        if seen > _MOST_FIELDS:
            raise ValueError("it has too many fields")
        left += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return body


def _held(body: Any) -> Held | None:
    if not isinstance(body, dict) or not {"apiVersion", "kind", "metadata"} <= body.keys():
        return None
    metadata = body["metadata"] if isinstance(body["metadata"], dict) else {}
    return Held(
        str(body["apiVersion"]), str(body["kind"]), str(metadata.get("name", "")), str(metadata.get("namespace", ""))
    )


def _merged(old: str, new: str) -> str:
    """Two states of an object as one with the fields of both: of what only one has, helm knows that it may go."""
    # JSON: no reader of YAML takes its texts for numbers.
    return f"---\n{json.dumps(_both(_object(old), _object(new)), default=str)}"


def _both(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: _both(old[key], value) if key in old else value for key, value in new.items()}
    if isinstance(old, list) and isinstance(new, list):
        named = [
            {item["name"]: item for item in items if isinstance(item, dict) and "name" in item} for items in (old, new)
        ]
        if (len(named[0]), len(named[1])) == (len(old), len(new)):
            return list(_both(*named).values())
    return new


def _is_about(record: Record, namespace: str) -> bool:
    if record.namespace != namespace and namespace not in record.content["manifest"]:
        return False
    return any(
        (held.namespace or record.namespace) == namespace or (held.kind, held.name) == ("Namespace", namespace)
        for held in record.held()
    )
