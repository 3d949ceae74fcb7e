"""JupyterHub's side of Kindling: a user's notebook is a pod in the namespace of the user's team, and a driver there.

A configuration file of JupyterHub, as it is. The pod, its home and its NetworkPolicy are what spark-notebook rendered
there (``login.method: hub``); only what a hub knows is put in: names, the path of the pages, variables, the token.
"""

import json
import secrets
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from jupyterhub.utils import exponential_backoff
from kubernetes_asyncio.client import ApiException
from kubespawner import KubeSpawner
from kubespawner.clients import shared_client
from tornado.web import HTTPError
from traitlets import Dict, Unicode, default


class RefusedError(HTTPError):
    """A notebook that cannot be; JupyterHub shows the message to its user."""

    def __init__(self, message: str) -> None:
        super().__init__(403, "%s", message)
        self.jupyterhub_message = message


class KindlingSpawner(KubeSpawner):
    """Makes notebooks of spark-notebook's template in the namespace of a user's team."""

    teams = Dict(
        Unicode(), config=True, help="Group of users -> namespace of their team; of several, the first one here."
    )
    default_team = Unicode(
        "", config=True, help="Namespace of users without such a group; empty: they have no notebook."
    )
    template = Unicode(
        "jupyter", config=True, help="Release of spark-notebook, in each team's namespace, that is taken."
    )

    namespace: str
    pvc_name_template = Unicode("jupyter-{username}-home", config=True)
    """The guard lets hubs make what is called jupyter-…; so are KubeSpawner's pods."""

    @default("delete_pvc")
    def _keep_homes(self) -> bool:
        return False

    @default("hub_connect_url")
    def _reached_from_other_namespaces(self) -> str:
        return f"http://hub.{self._namespace_default()}.svc:8081"

    @default("after_pod_created_hook")
    def _with_what_is_its_own(self) -> Callable[..., Any]:
        return lambda spawner, pod: spawner.give(pod)

    def team(self) -> str:
        """The namespace of the user's team.

        Raises:
            RefusedError: the user is of no team.
        """
        groups = {group.name for group in self.user.groups}
        found = [namespace for group, namespace in self.teams.items() if group in groups]
        if not (found or self.default_team):
            raise RefusedError(
                f"{self.user.name} is in no group that has notebooks; ask for one of {', '.join(self.teams)}"
            )
        return found[0] if found else self.default_team

    async def load_user_options(self) -> None:
        """What KubeSpawner does first: here the namespace and its template are known from now on."""
        self._has_team = False
        team = self.team()
        self._has_team = True
        if self.namespace != team:
            self.namespace = team
            self._pvc_exists = False
        await super().load_user_options()
        name = f"{self.template}-template"
        try:
            found = await self.api.read_namespaced_config_map(name, self.namespace)
        except ApiException as error:
            cure = f"ask its admin for the release {self.template} of spark-notebook, with login.method hub"
            raise RefusedError(f"no ConfigMap {name} in {self.namespace} ({error.reason}): {cure}") from error
        self._objects = json.loads(found.data["notebook.json"])
        self.storage_pvc_ensure = "claim" in self._objects

    def get_pvc_manifest(self) -> Any:
        """The user's home."""
        return self._typed("V1PersistentVolumeClaim", self._named("claim"))

    async def get_pod_manifest(self) -> Any:
        """The user's notebook."""
        self._run = f"{self.pod_name}-{secrets.token_hex(4)}"
        pod = self._named("pod")
        asked = self.api.api_client.sanitize_for_serialization(await super().get_pod_manifest())
        for key in ("labels", "annotations"):
            pod["metadata"][key] = {**asked["metadata"].get(key, {}), **pod["metadata"].get(key, {})}
        (container,) = [one for one in pod["spec"]["containers"] if one["name"] == "driver"]
        # Who may see pods sees their variables: the token is in a Secret.
        left_out = {"JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN", *(one["name"] for one in container["env"])}
        container["env"] += [one for one in asked["spec"]["containers"][0]["env"] if one["name"] not in left_out]
        return self._typed("V1Pod", pod)

    async def give(self, pod: dict[str, Any]) -> None:
        """Make what goes with a pod: the policy of its user's pods, then the token, for which its program waits."""
        owner = {"apiVersion": "v1", "kind": "Pod", "name": self.pod_name, "uid": pod["metadata"]["uid"]}
        policy, secret = self._named("networkPolicy"), self._named("secret")
        secret["stringData"] = {"token": self.api_token}
        for body in (policy, secret):
            body["metadata"]["ownerReferences"] = [owner]
        await self._made(shared_client("NetworkingV1Api").create_namespaced_network_policy, policy)
        await self._made(self.api.create_namespaced_secret, secret)

    async def poll(self) -> int | None:
        """As KubeSpawner, which looks for the end of a container of another name."""
        code: int | None = await super().poll()
        pod = self.pod_reflector.pods.get(f"{self.namespace}/{self.pod_name}")
        if code is not None or pod is None or pod["status"]["phase"] not in ("Succeeded", "Failed"):
            return code
        if self.delete_stopped_pods:
            await self.stop(now=True)
        return 0 if pod["status"]["phase"] == "Succeeded" else 1

    async def stop(self, now: bool = False) -> None:
        """As KubeSpawner; who has no team has nothing to stop, and the hub has no right to look for it elsewhere."""
        if self._has_team:
            await super().stop(now)

    def _named(self, key: str) -> Any:
        """A new copy of an object of the template, with this user's names in it."""
        prefix = self.server.base_url if self.server else "/"
        names = {"<pod>": self.pod_name, "<run>": self._run, "<claim>": self.pvc_name, "<prefix>": prefix}
        return _with(names, self._objects[key])

    _run = ""
    _has_team = True

    def _typed(self, kind: str, body: Any) -> Any:
        """An object of Kubernetes' client, as other hooks of KubeSpawner expect."""
        return self.api.api_client.deserialize(SimpleNamespace(data=json.dumps(body)), kind)

    async def _made(self, create: Callable[..., Any], body: dict[str, Any]) -> None:
        async def attempt() -> bool:
            try:
                await create(self.namespace, body, _request_timeout=self.k8s_api_request_timeout)
            except TimeoutError:
                return False
            except ApiException as error:
                # An attempt that took too long may have made it.
                if error.status != 409:
                    raise
            return True

        what = f"{body['kind']} {body['metadata']['name']}"
        await exponential_backoff(attempt, f"Could not create {what}", timeout=self.k8s_api_request_retry_timeout)


def _with(names: dict[str, str], value: Any) -> Any:
    """A copy of a JSON value, other words in the place of some."""
    if isinstance(value, dict):
        return {key: _with(names, one) for key, one in value.items()}
    if isinstance(value, list):
        return [_with(names, one) for one in value]
    if isinstance(value, str):
        for word, name in names.items():
            value = value.replace(word, name)
    return value


c.JupyterHub.spawner_class = KindlingSpawner
# Notebooks outlive the hub that made them.
c.JupyterHub.cleanup_servers = False
