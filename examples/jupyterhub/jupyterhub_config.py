"""The example's own settings; kindling_hub.py, beside it, is the same for every hub."""

import os
from pathlib import Path

load_subconfig(str(Path(__file__).with_name("kindling_hub.py")))

# Who is in which team. A real hub has both from the company's login: see the guide.
c.JupyterHub.load_groups = {
    "team-a": {"users": ["anna", "amir"]},
    "team-b": {"users": ["ben"]},
}
c.KindlingSpawner.teams = {"team-a": "team-a", "team-b": "team-b"}

# For a try alone: whoever knows the one password is whom they say.
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = Path("/etc/hub/password").read_text().strip()
c.Authenticator.allowed_users = {"anna", "amir", "ben"}

# What zero-to-jupyterhub sets itself.
c.JupyterHub.hub_bind_url = "http://:8081"
c.JupyterHub.hub_connect_url = "http://hub:8081"
c.JupyterHub.db_url = "sqlite:////var/lib/hub/hub.sqlite"
c.JupyterHub.cookie_secret = bytes.fromhex(Path("/etc/hub/cookie-secret").read_text().strip())
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://proxy-api:8001"
c.ConfigurableHTTPProxy.auth_token = os.environ["CONFIGPROXY_AUTH_TOKEN"]
# A notebook's node may have to fetch its image first.
c.KubeSpawner.start_timeout = 300
