"""What texts in values look like: a pattern for each form, and the words with which a chart refuses another text.

helm would print the pattern itself. So templates of the charts ask for the forms; no values.schema.json has a pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Form:
    """A form of a text.

    Attributes:
        pattern: a regular expression of RE2, which the whole text matches.
        says: what is allowed, as it stands after "write".
        examples: texts of the form; the first is the one that is told.
        more: what JSON Schema says of it besides: other types, a range.
    """

    pattern: str
    says: str
    examples: tuple[str, ...]
    more: dict[str, Any] = field(default_factory=dict)

    def schema(self) -> dict[str, Any]:
        """The form in JSON Schema."""
        return {**self.helm_schema(), "pattern": self.pattern}

    def helm_schema(self) -> dict[str, Any]:
        """The form in JSON Schema, without its pattern."""
        told = f"{self.says[0].upper()}{self.says[1:]}: {', '.join(self.examples)}."
        return {"type": "string", "description": told, "examples": list(self.examples), **self.more}


_LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
OBJECT_NAME = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED_END = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4_BLOCK = rf"{_BYTE}(\.{_BYTE}){{3}}/(3[0-2]|[12]?[0-9])"
_HEX = "[0-9a-f]{1,4}"
_IPV6 = f"({_HEX}:){{7}}{_HEX}|::|({_HEX}:){{1,7}}:|({_HEX}:){{1,6}}:{_HEX}|({_HEX}:){{1,4}}(:{_HEX}){{2,3}}"
_IPV6_BLOCK = f"({_IPV6})/(12[0-8]|1[01][0-9]|[1-9]?[0-9])"
_NUMBER = {"type": ["string", "number"], "minimum": 0}
RESOURCES = (
    *("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"),
    *("requests.storage", "requests.ephemeral-storage", "limits.ephemeral-storage"),
)
COUNTED_RESOURCES = (
    *("pods", "configmaps", "secrets", "persistentvolumeclaims", "services"),
    *("services.loadbalancers", "services.nodeports"),
)
_COUNTED = (
    "count/[a-z]([-a-z0-9.]{0,60}[a-z0-9])?",
    rf"{OBJECT_NAME}\.storageclass\.storage\.k8s\.io/persistentvolumeclaims",
    rf"requests\.{OBJECT_NAME}/[A-Za-z0-9]([-A-Za-z0-9_.]{{0,40}}[A-Za-z0-9])?",
)
_STORAGE = rf"{OBJECT_NAME}\.storageclass\.storage\.k8s\.io/requests\.storage"
_LETTERS = "lowercase letters, digits and dashes, {} at most, that begins and ends with a letter or digit"
_EMPTY_DIGEST = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

FORMS: dict[str, Form] = {
    # Names of Kubernetes.
    "name": Form(f"^{_LABEL}$", f"a name of {_LETTERS.format(63)}", ("team-a",)),
    "accountName": Form("^[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?$", f"a name of {_LETTERS.format(50)}", ("ci",)),
    "objectName": Form(
        f"^{OBJECT_NAME}$",
        f"a name of {_LETTERS.format(63)}, or several such with dots between",
        ("etl-login", "etl.login"),
    ),
    "secretKey": Form("^[-._a-zA-Z0-9]{1,253}$", "a key of letters, digits, dashes, dots and underscores", ("token",)),
    "labelKey": Form(
        rf"^({OBJECT_NAME}/)?{_QUALIFIED_END}$",
        "a key of letters, digits, dashes, dots and underscores, 63 at most, perhaps after a domain and a slash",
        ("example.com/team",),
    ),
    "labelValue": Form(
        f"^({_QUALIFIED_END})?$",
        "letters, digits, dashes, dots and underscores, 63 at most, the first and the last a letter or digit",
        ("data-science",),
    ),
    "envName": Form(
        "^[-._a-zA-Z][-._a-zA-Z0-9]*$",
        "a name of letters, digits, dashes, dots and underscores that begins with no digit",
        ("LOG_LEVEL",),
    ),
    "taintKey": Form("^[A-Za-z0-9./_-]+$", "the key of a taint, without its value", ("dedicated",)),
    "annotationPrefix": Form(
        "^[A-Za-z0-9./_-]+$",
        "how keys of annotations begin: letters, digits, dashes, dots, underscores and slashes",
        ("prometheus.io/",),
    ),
    "subject": Form(
        r"^[^ \x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^ \x00-\x1f\x7f-\x9f])?$",
        "the name of a user or group, as the cluster's login gives it, without a space at either end",
        ("anna@example.com",),
    ),
    "kubernetesVersion": Form(r"^(latest|v1\.[0-9]{1,3})$", "latest, or a minor version", ("v1.34",)),
    # Amounts.
    "amount": Form(
        r"^[0-9]{1,12}(\.[0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$",
        "CPU, memory or storage as Kubernetes does, a number and perhaps m, k, M, G, T, Ki, Mi, Gi or Ti",
        ("512Mi", "300m", "2"),
        {**_NUMBER, "maximum": 2**31 - 1},
    ),
    "count": Form(
        "^[0-9]{1,9}$", "a whole number", ("40",), {"type": ["string", "integer"], "minimum": 0, "maximum": 2**31 - 1}
    ),
    "cpu": Form(
        r"^([0-9]+m|[0-9]+(\.[0-9]+)?)$", "CPU as Kubernetes does, in cores or thousandths", ("300m", "2"), _NUMBER
    ),
    "memory": Form("^[0-9]+[kmgtKMGT][bB]?$", "memory as Spark does, a whole number and k, m, g or t", ("512m", "2g")),
    "quantity": Form(
        r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$",
        "memory or storage as Kubernetes does, a number and Ki, Mi, Gi, Ti, k, M, G or T",
        ("512Mi", "10Gi"),
    ),
    "volumeSize": Form("^[1-9][0-9]{0,6}(Mi|Gi|Ti)$", "a whole number and Mi, Gi or Ti", ("10Gi",)),
    "duration": Form("^[0-9]+(ms|s|m|h)$", "a time, a whole number and ms, s, m or h", ("30s", "5m", "1h")),
    "age": Form("^[1-9][0-9]*[hd]$", "a time of at least an hour, a whole number and h or d", ("30d", "12h")),
    "interval": Form("^[1-9][0-9]*[mhd]$", "a time of at least a minute, a whole number and m, h or d", ("1h",)),
    "quotaKey": Form(
        f"^({'|'.join((*map(re.escape, (*COUNTED_RESOURCES, *RESOURCES)), *_COUNTED, _STORAGE))})$",
        "a resource that quotas of Kubernetes limit",
        ("requests.cpu", "count/jobs.batch", "requests.nvidia.com/gpu"),
    ),
    # Of Spark.
    "sparkKey": Form(
        r"^spark\.[-A-Za-z0-9_.]+$",
        "a key of Spark's configuration, or how keys begin and a dot",
        ("spark.driver.extraClassPath", "spark.hadoop.fs.s3a."),
    ),
    "listed": Form(
        r"^[^,\s]+$",
        "one item without spaces and commas, and each other as an item of its own",
        ("s3a://bucket/a.jar",),
    ),
    "mainClass": Form(
        r"^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$", "the full name of a Java class", ("org.example.Main",)
    ),
    "coordinates": Form(
        r"^[^:,\s]+:[^:,\s]+:[^:,\s]+$", "group:artifact:version", ("org.apache.spark:spark-avro_2.13:4.3.0",)
    ),
    "imageDigest": Form("^sha256:[0-9a-f]{64}$", "sha256: and 64 digits, of 0 to 9 and a to f", (_EMPTY_DIGEST,)),
    "imageReference": Form(r"^[a-z0-9]\S*$", "the reference of an image", ("registry.example.com/spark:4.3.0",)),
    # Places.
    "mountPath": Form("^/[^:]*$", "a path that begins with / and has no colon", ("/data",)),
    "plainPath": Form(
        r"^(/[A-Za-z0-9._-]+)+$",
        "a path that begins with / and ends without, of letters, digits, dots, dashes and underscores",
        ("/spark",),
    ),
    "urlPath": Form(
        r"^/([-a-zA-Z0-9._~]+(/[-a-zA-Z0-9._~]+)*)?$",
        "a path that begins with / and ends without, of letters, digits, dots, dashes, underscores and tildes",
        ("/notebooks/anna",),
    ),
    "file": Form(r"^/[^\s,]+$", "the path of a file, without spaces and commas", ("/tickets/krb5cc",)),
    "nfsExport": Form(
        r"^[A-Za-z0-9.:_-]+:/[^:\s]*$", "a server, a colon and a path", ("nfs.example.com:/exports/team-a",)
    ),
    "host": Form(
        f"^{OBJECT_NAME}$",
        "a host's name of lowercase letters, digits, dashes and dots",
        ("spark.example.com",),
        {"maxLength": 253},
    ),
    "domain": Form(
        r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        "a domain of lowercase letters, digits, dashes and dots",
        ("spark.example.com",),
    ),
    "cidr": Form(
        f"^({_IPV4_BLOCK}|{_IPV6_BLOCK})$",
        "a block of IP addresses in lowercase, with the length of its prefix",
        ("192.0.2.88/32", "2001:db8::/32"),
    ),
    "url": Form(
        r"^https?://[^\s,]+$",
        "an address with http:// or https://, without spaces and commas",
        ("https://s3.example.com:9000",),
    ),
    "pageUrl": Form(
        r"^https?://[^\s]+$", "an address with http:// or https://, without spaces", ("https://spark.example.com/",)
    ),
    "folderUrl": Form(
        r"^https?://[^\s?#]+/$",
        "an address with http:// or https:// that ends with / and has neither ? nor #",
        ("https://spark.example.com/",),
    ),
    "storeUrl": Form(
        r"^[a-z0-9]+://[^\s,]+$", "the address of a folder, without spaces and commas", ("s3a://bucket/folder",)
    ),
    "proxyUrl": Form(
        r"^http://[^\s,/@]+:[0-9]+$",
        "http://, a host, a colon and a port, without user and password",
        ("http://proxy.example.com:3128",),
    ),
    "directHost": Form(
        r"^(\*?\.)?[-A-Za-z0-9._]+$",
        "a host, or *. and a domain, without a port",
        ("repo.example.com", "*.example.com"),
    ),
    "region": Form("^[-a-z0-9]+$", "a region of lowercase letters, digits and dashes", ("eu-central-1",)),
    "httpHeader": Form(
        "^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$",
        "the name of a header, of letters, digits and dashes",
        ("X-Forwarded-User",),
    ),
    # Of Hadoop and Kerberos.
    "hadoopFile": Form(r"^[a-z]+(-[a-z]+)*\.xml$", "the name of one of Hadoop's files", ("core-site.xml",)),
    "principal": Form(r"^[^\s,]+$", "a Kerberos principal, without spaces and commas", ("etl@EXAMPLE.COM",)),
    "realm": Form("^[-A-Za-z0-9._]+$", "a realm of letters, digits, dashes, dots and underscores", ("EXAMPLE.COM",)),
    "kdc": Form("^[-A-Za-z0-9.]+(:[0-9]+)?$", "a host and perhaps a port", ("kdc.example.com", "kdc.example.com:88")),
}
"""Name, as ``$ref`` of the schemas has it -> the form."""

COUNTED = f"^({'|'.join(_COUNTED)})$"
"""Keys of a quota whose value is a number of objects."""

STORAGE = f"^{_STORAGE}$"
"""Keys of a quota whose value is an amount."""
