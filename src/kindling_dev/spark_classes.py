"""Run by Python in an image of Spark, from standard input: the configuration that Spark's own classes know, as JSON.

It prints one line, {"entries": {key: {…}}, "constants": [every text of the classes that begins with "spark."],
"credentials": [keys that the classes put together of two constants]}.
"""

import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HOME = Path("/opt/spark")
_KUBERNETES = "org.apache.spark.deploy.k8s.Config$"
_HOLDERS = ("org.apache.spark.internal.config.package$", _KUBERNETES)
"""Objects of Scala with an entry in each of their fields."""
_CONSTANT = re.compile(rb"\x01(..)(spark\.[\x21-\x7e]*)", re.DOTALL)
"""In a class file: tag, length in bytes, text."""
_NOT_READ = ("spark.kubernetes.authenticate.executor.", "spark.kubernetes.authenticate.driver.mounted.oauthToken")
"""Pairs of constants that Spark puts together nowhere."""


def fields(jvm: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Name and value of each field of an object of Scala."""
    module = jvm.java.lang.Class.forName(name)
    of_scala = module.getField("MODULE$").get(None)
    for method in module.getMethods():
        kind = method.getReturnType().getName()
        if method.getParameterCount() == 0 and kind.startswith(("org.apache.spark.internal.config.", "java.lang.S")):
            yield method.getName(), method.invoke(of_scala, None)


def entries(jvm: Any) -> dict[str, dict[str, str | bool]]:
    """What entries say of themselves: default, the version that brought them, whether they are documented."""
    return {
        entry.key(): {
            "default": entry.defaultValueString(),
            "since": entry.version(),
            "internal": not entry.isPublic(),
        }
        for name in _HOLDERS
        for _, entry in fields(jvm, name)
        if not isinstance(entry, str)
    }


def credentials(jvm: Any) -> list[str]:
    """How a program is known to the API server: prefixes of whom, and what follows them."""
    constants = {name: text for name, text in fields(jvm, _KUBERNETES) if isinstance(text, str)}
    whose = [text for name, text in constants.items() if re.fullmatch(r"KUBERNETES_AUTH_.*_PREFIX", name)]
    what = [text for name, text in constants.items() if name.endswith("_CONF_SUFFIX")]
    keys = [f"{prefix}.{suffix}" for prefix in whose for suffix in what]
    return sorted(key for key in keys if not key.startswith(_NOT_READ[0]) and key != _NOT_READ[1])


def constants() -> list[str]:
    """Texts of Spark's classes that begin as a key does."""
    found = set()
    for jar in (HOME / "jars").glob("spark-*.jar"):
        with zipfile.ZipFile(jar) as classes:
            for name in classes.namelist():
                if name.endswith(".class"):
                    for size, text in _CONSTANT.findall(classes.read(name)):
                        length = int.from_bytes(size, "big")  # Python before 3.11 has no default
                        if len(text) >= length:
                            found.add(text[:length].decode())
    return sorted(found)


def main() -> None:
    """Print what there is."""
    sys.path[:0] = [str(HOME / "python"), *map(str, (HOME / "python/lib").glob("py4j-*.zip"))]
    from pyspark.java_gateway import launch_gateway

    jvm = launch_gateway().jvm
    print(json.dumps({"entries": entries(jvm), "constants": constants(), "credentials": credentials(jvm)}))


if __name__ == "__main__":
    main()
