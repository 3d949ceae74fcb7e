"""A team's facts about Kerberos and Hadoop, as its values name them: what is missing, and where.

What only a pod can tell, that the KDC answers and that the clocks agree, ``helm test`` of spark-namespace says.
"""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from kindling.connection import TIMEOUT_S, Connection
from kindling.errors import KindlingError
from kindling.foreign import one_line
from kindling.preflight.facts import FAIL, OK, WARN, Check
from kindling.preflight.keytab import principals

_FORBIDDEN, _NOT_FOUND = 403, 404
_ASK = "ask an admin to run this"
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


def wanted(file: Path) -> Wanted:
    """Read ``global.hadoop`` and ``global.kerberos`` of a values file.

    Raises:
        KindlingError: there is no such file, or it holds no values.
    """
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
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
    except (OSError, yaml.YAMLError, AttributeError, UnicodeDecodeError, RecursionError) as error:
        raise KindlingError(f"{file} holds no values: {one_line(error, 200)}; give the team's common.yaml") from None


def check(connection: Connection, want: Wanted) -> list[Check]:
    """Read what the values name, as far as the caller may, and judge it."""
    core: Any = client.CoreV1Api(connection.api)
    checks = []
    if want.secret:
        checks.append(_keytab(core, connection.namespace, want))
        checks += _guard(client.AdmissionregistrationV1Api(connection.api), connection.namespace, want.secret)
    if want.krb5:
        checks.append(_krb5(core, connection.namespace, want))
    if want.hadoop:
        checks += _hadoop(core, connection.namespace, want)
    return checks


def _read(call: Any, *arguments: Any) -> Any:
    """The object; False: there is none; None: the caller may not read it."""
    try:
        return call(*arguments, _request_timeout=TIMEOUT_S)
    except ApiException as error:
        if error.status not in (_FORBIDDEN, _NOT_FOUND):
            raise
        return None if error.status == _FORBIDDEN else False


def _keytab(core: Any, namespace: str, want: Wanted) -> Check:
    name = f"Secret {want.secret}"
    secret = _read(core.read_namespaced_secret, want.secret, namespace)
    if secret is None:
        return Check("keytab", WARN, f"keytab: not checked, you may not read {name}", _ASK)
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


def _guard(admission: Any, namespace: str, secret: str) -> list[Check]:
    policy = _read(admission.read_validating_admission_policy, f"kindling-guard-{namespace}")
    if policy is None:
        return [Check("guard-keytab", WARN, "guard: not checked, you may not read its policies", _ASK)]
    if not policy:
        return []
    # CEL of spark-namespace: the Secrets' names stand there as JSON.
    listed = next((one.expression for one in policy.spec.variables or [] if one.name == "secrets"), "")
    if f'"{secret}"' in listed:
        return [Check("guard-keytab", OK, f"guard: pods may use Secret {secret}")]
    cure = "give spark-namespace the same global.kerberos.keytab, or name the Secret in guard.secrets"
    return [Check("guard-keytab", FAIL, f"guard: pods may not use Secret {secret}", cure)]


def _krb5(core: Any, namespace: str, want: Wanted) -> Check:
    name, file = f"ConfigMap {want.krb5}", "krb5.conf"
    found = _read(core.read_namespaced_config_map, want.krb5, namespace)
    if not found:
        return _absent("krb5-conf", found, name)
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
    found = _read(core.read_namespaced_config_map, want.hadoop, namespace)
    if not found:
        return [_absent("hadoop-conf", found, name)]
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


def _absent(id_: str, found: Any, name: str) -> Check:
    if found is None:
        return Check(id_, WARN, f"{name}: not checked, you may not read it", _ASK)
    return Check(id_, FAIL, f"{name} does not exist", "make it in the team's namespace, or correct its name in global")
