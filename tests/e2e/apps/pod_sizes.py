"""Run by Python in an image of Spark, from standard input: sizes of the pods that Spark's own classes make.

/cases/cases.json is a list of {"kind": "python" or "java", "conf": {…}, "ends": "submission" or "driver", "profile"}.
"submission": spark-submit in cluster mode, which makes the driver's pod, whose configuration makes the executors'.
"driver": a driver that is there already, in client mode. "profile": whether executors are of a profile of the
application's. It prints one line: a list of {"driver": {…}, "executor": {…}}, requests and limits of Spark's container.
"""

import json
import sys
from pathlib import Path
from typing import Any

HOME = Path("/opt/spark")
_TEMPLATE = "spark.kubernetes.executor.podTemplateFile"
_APP_ID = "spark-0"


class Builders:
    """Spark's classes that make pods, in a JVM."""

    def __init__(self, jvm: Any) -> None:
        self._jvm = jvm
        self._k8s = jvm.org.apache.spark.deploy.k8s
        # Only reads templates: it asks no API server.
        self._client = jvm.io.fabric8.kubernetes.client.KubernetesClientBuilder().build()

    def conf(self, entries: dict[str, str]) -> Any:
        """A SparkConf."""
        conf = self._jvm.org.apache.spark.SparkConf(False)
        for key, value in entries.items():
            conf.set(key, value)
        return conf

    def driver(self, kind: str, entries: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
        """Sizes of the driver that spark-submit makes, and the configuration that it gets."""
        submit = self._k8s.submit
        if kind == "python":
            resource = submit.PythonMainAppResource("local:///app.py")
        else:
            resource = submit.JavaMainAppResource(self._jvm.scala.Option.apply("local:///app.jar"))
        arguments = self._jvm.java.lang.reflect.Array.newInstance(
            self._jvm.java.lang.Class.forName("java.lang.String"), 0
        )
        nobody = self._jvm.scala.Option.apply(None)
        given = [self.conf(entries), _APP_ID, resource, "a.Main", arguments, nobody]
        conf = self._of_object("org.apache.spark.deploy.k8s.KubernetesConf", "createDriverConf", given)
        spec = self._k8s.submit.KubernetesDriverBuilder().buildFromFeatures(conf, self._client)
        properties = spec.systemProperties().iterator()
        made = {}
        while properties.hasNext():
            pair = properties.next()
            made[pair._1()] = pair._2()
        return sizes(spec.pod().container()), made

    def executor(self, entries: dict[str, str], *, profile: bool) -> dict[str, Any]:
        """Sizes of an executor that a driver makes."""
        conf = self.conf(entries)
        resource = self._jvm.org.apache.spark.resource
        profiles = "org.apache.spark.resource.ResourceProfile"
        self._of_object(profiles, "clearDefaultProfile", [])
        default = self._of_object(profiles, "getOrCreateDefaultProfile", [conf])
        wanted = self._own_profile(resource) if profile else default
        nobody = self._jvm.scala.Option.apply(None)
        given = [conf, "1", _APP_ID, nobody, wanted.id()]
        of_pod = self._of_object("org.apache.spark.deploy.k8s.KubernetesConf", "createExecutorConf", given)
        manager = self._jvm.org.apache.spark.SecurityManager
        defaults = [getattr(manager, f"$lessinit$greater$default${number}")() for number in (2, 3)]
        builder = self._jvm.org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBuilder()
        spec = builder.buildFromFeatures(of_pod, manager(conf, *defaults), self._client, wanted)
        return sizes(spec.pod().container())

    def _own_profile(self, resource: Any) -> Any:
        asked = resource.ExecutorResourceRequests().cores(3).memory("2g").memoryOverhead("700m").pysparkMemory("300m")
        return resource.ResourceProfileBuilder().require(asked).build()

    def _of_object(self, name: str, method: str, given: list[Any]) -> Any:
        """Call a method of an object of Scala; what is not given has the method's default."""
        module = self._jvm.java.lang.Class.forName(f"{name}$").getField("MODULE$").get(None)
        count = next(one.getParameterCount() for one in module.getClass().getMethods() if one.getName() == method)
        more = [getattr(module, f"{method}$default${number + 1}")() for number in range(len(given), count)]
        return getattr(module, method)(*given[:count], *more)


def sizes(container: Any) -> dict[str, Any]:
    """Requests and limits of a container."""
    resources = container.getResources()
    return {"requests": quantities(resources.getRequests()), "limits": quantities(resources.getLimits())}


def quantities(of_kinds: Any) -> dict[str, str]:
    """Quantities as Kubernetes writes them."""
    return {name: f"{of_kinds[name].getAmount()}{of_kinds[name].getFormat() or ''}" for name in of_kinds}


def main() -> None:
    """Print what Spark makes of each case."""
    sys.path[:0] = [str(HOME / "python"), *map(str, (HOME / "python/lib").glob("py4j-*.zip"))]
    from pyspark.java_gateway import launch_gateway

    builders = Builders(launch_gateway().jvm)
    made = []
    for case in json.loads(Path("/cases/cases.json").read_text()):
        entries, pods = case["conf"], {}
        if case["ends"] == "submission":
            pods["driver"], of_driver = builders.driver(case["kind"], entries)
            entries = {**of_driver, **({_TEMPLATE: entries[_TEMPLATE]} if _TEMPLATE in entries else {})}
        pods["executor"] = builders.executor(entries, profile=case["profile"])
        made.append(pods)
    print(json.dumps(made))


if __name__ == "__main__":
    main()
