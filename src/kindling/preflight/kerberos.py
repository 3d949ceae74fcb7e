"""A team's facts about Kerberos and Hadoop, as its values name them: what is missing, and where.

What only a pod can tell, that the KDC answers and that the clocks agree, ``helm test`` of spark-namespace says.
"""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubernetes import client

from kindling.connection import Connection
from kindling.foreign import one_line
from kindling.preflight.facts import FAIL, OK, WARN, Check
from kindling.preflight.keytab import principals
from kindling.preflight.named import ASK, absent, guarded, look_for

_MAKE = "make it in the team's namespace, or correct its name in global"
_NEEDED = (
    ("core-site.xml", "hadoop.security.authentication"),
    ("hdfs-site.xml", "dfs.namenode.kerberos.principal"),
    ("hdfs-site.xml", "dfs.data.transfer.protection"),
)
_SECTION, _REALM, _KDC = re.compile(r"\[(\w{1,64})\]"), re.compile(r"(\S{1,256})\s?=\s?\{"), re.compile(r"kdc\s?=")


@dataclass(frozen=True)
class Wanted:
    """What a team's values say: names of objects, and whose keytab it is; "" where they say nothing."""

    hadoop: str
    krb5: str
    principal: str
    secret: str
    key: str


def wanted(values: Mapping[str, Any]) -> Wanted:
    """What ``global.hadoop`` and ``global.kerberos`` name."""
    of = values.get("global") or {}
    hadoop, kerberos = of.get("hadoop") or {}, of.get("kerberos") or {}
    keytab = kerberos.get("keytab") or {}
    return Wanted(
        hadoop=str(hadoop.get("configMap") or ("spark-hadoop" if hadoop.get("files") else "")),
        krb5=str(kerberos.get("configMap") or ("spark-krb5" if kerberos.get("realm") else "")),
        principal=str(kerberos.get("principal") or ""),
        secret=str(keytab.get("name") or ""),
        key=str(keytab.get("key") or "keytab"),
    )


def check(connection: Connection, want: Wanted) -> list[Check]:
    """Read what the values name, as far as the caller may, and judge it."""
    core: Any = client.CoreV1Api(connection.api)
    checks = []
    if want.secret:
        checks.append(_keytab(core, connection.namespace, want))
        cure = "give spark-namespace the same global.kerberos.keytab, or name the Secret in guard.secrets"
        checks += guarded(connection, "guard-keytab", want.secret, cure)
    if want.krb5:
        checks.append(_krb5(core, connection.namespace, want))
    if want.hadoop:
        checks += _hadoop(core, connection.namespace, want)
    return checks


def _keytab(core: Any, namespace: str, want: Wanted) -> Check:
    name = f"Secret {want.secret}"
    secret = look_for(core.read_namespaced_secret, want.secret, namespace)
    if secret is None:
        return Check("keytab", WARN, f"keytab: not checked, you may not read {name}", ASK)
    if not secret:
        cure = f"kubectl create secret generic {want.secret} --from-file={want.key}=FILE -n {namespace}"
        return Check("keytab", FAIL, f"keytab: {name} does not exist", cure)
    encoded = (secret.data or {}).get(want.key)
    if not encoded:
        cure = "set global.kerberos.keytab.key to the key of the keytab, or make the Secret with that key"
        return Check("keytab", FAIL, f"keytab: {name} has no key {want.key}", cure)
    try:
        found = principals(base64.b64decode(encoded))
    except ValueError as error:
        cure = "make the Secret anew from the keytab file itself (kubectl create secret generic --from-file)"
        return Check("keytab", FAIL, f"keytab: {want.key} of {name} cannot be read: {error}", cure)
    if want.principal not in found:
        what = f"keytab: {name} has keys of {one_line(', '.join(found), 500) or 'nobody'}, not of {want.principal}"
        return Check("keytab", FAIL, what, "set global.kerberos.principal to one of them, or make the Secret anew")
    return Check("keytab", OK, f"keytab: {name} has keys of {want.principal}")


def _krb5(core: Any, namespace: str, want: Wanted) -> Check:
    name, file = f"ConfigMap {want.krb5}", "krb5.conf"
    found = look_for(core.read_namespaced_config_map, want.krb5, namespace)
    if not found:
        return absent("krb5-conf", found, name, _MAKE)
    text = (found.data or {}).get(file)
    if text is None:
        return Check("krb5-conf", FAIL, f"{name} has no {file}", "make it with --from-file=krb5.conf")
    default, kdcs, by_dns = _realms(text)
    realm = want.principal.rpartition("@")[2] if "@" in want.principal else default
    if not realm:
        return Check("krb5-conf", FAIL, f"{file} of {name} has no default_realm", "add default_realm to [libdefaults]")
    if not kdcs.get(realm) and not by_dns:
        cure = f"add {realm} with a line kdc = HOST:PORT to [realms], or correct global.kerberos.principal"
        return Check("krb5-conf", FAIL, f"{file} of {name} names no KDC of realm {realm}", cure)
    how = f"{kdcs[realm]} KDC(s)" if kdcs.get(realm) else "KDCs by DNS"
    what = f"{file}: realm {realm} has {how}; whether they answer and clocks agree, helm test of spark-namespace says"
    return Check("krb5-conf", OK, what)


def _realms(text: str) -> tuple[str, dict[str, int], bool]:
    """default_realm, each realm's number of KDCs, and whether DNS is asked for them."""
    default, by_dns, section, realm = "", True, "", ""
    kdcs: dict[str, int] = {}
    for line in (" ".join(line.split()) for line in text.splitlines()):
        if found := _SECTION.match(line):
            section, realm = found[1], ""
        elif section == "libdefaults" and line.startswith("default_realm"):
            default = line.partition("=")[2].strip()
        elif section == "libdefaults" and line.startswith("dns_lookup_kdc"):
            by_dns = line.partition("=")[2].strip().lower() in ("true", "yes", "1", "on")
        elif section == "realms" and (found := _REALM.match(line)):
            realm = found[1]
            kdcs[realm] = 0
        elif section == "realms" and realm and _KDC.match(line):
            kdcs[realm] += 1
    return default, kdcs, by_dns


def _hadoop(core: Any, namespace: str, want: Wanted) -> list[Check]:
    name = f"ConfigMap {want.hadoop}"
    found = look_for(core.read_namespaced_config_map, want.hadoop, namespace)
    if not found:
        return [absent("hadoop-conf", found, name, _MAKE)]
    if not want.krb5:
        return [Check("hadoop-conf", OK, f"{name}: it is there; without Kerberos it needs no setting")]
    files = {}
    for file in dict.fromkeys(file for file, _ in _NEEDED):
        try:
            files[file] = _settings((found.data or {}).get(file, ""))
        except ValueError as error:
            cure = f"make the ConfigMap with --from-file={file}, as HDFS's admin gave it"
            return [Check("hadoop-conf", FAIL, f"{file} of {name} cannot be read: {error}", cure)]
    checks = []
    for file, setting in _NEEDED:
        value = files[file].get(setting, "")
        if setting == "hadoop.security.authentication" and value != "kerberos":
            what = f"{file} of {name}: {setting} is {value or 'missing'}, not kerberos"
            checks.append(Check("hadoop-conf", FAIL, what, f"set {setting} to kerberos in {file}"))
        elif not value:
            cure = f"set {setting} in {file} to what HDFS's own configuration has"
            checks.append(Check("hadoop-conf", FAIL, f"{file} of {name}: {setting} is missing", cure))
    return checks or [Check("hadoop-conf", OK, f"{name}: all {len(_NEEDED)} settings of a secure HDFS are there")]


def _settings(text: str) -> dict[str, str]:
    """Name -> value of a file of Hadoop's.

    Raises:
        ValueError: there is none, or it is no such file.
    """
    if not text:
        raise ValueError("it is not there")
    if "<!DOCTYPE" in text:
        raise ValueError("it has a DOCTYPE")
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise ValueError(str(error)) from None
    pairs = ((one.findtext("name"), one.findtext("value")) for one in root.iter("property"))
    return {name.strip(): (value or "").strip() for name, value in pairs if name}
