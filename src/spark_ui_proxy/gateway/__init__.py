"""The gateway: nginx, through which all bytes go, and its configuration.

nginx asks the decider (`GET /authz`, over a unix socket) who may see what and where that is, and keeps the answer for
seconds. What it decides itself is in `lua/gateway.lua`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import jinja2

from spark_ui_proxy.config import Config

_HERE = Path(__file__).parent
_IPV6 = Path("/proc/net/if_inet6")
"""Lists the addresses of this kind, if the kernel has them."""
_OF_ANY_PAGE = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Content-Type"),
    *("If-Modified-Since", "If-None-Match", "User-Agent"),
)
_TO_TARGETS = (*_OF_ANY_PAGE, "If-Range", "Purpose", "Range", "Sec-Purpose", "X-Requested-With")
"""The request headers that a driver or a history server gets; of these Spark reads the content's and `Purpose`."""
_TO_ANSWER = ("Accept", "Origin", "Referer", "Sec-Fetch-Site")
"""What the decider reads of a request for somebody else, beside who sends it."""
_TO_OWN = (*_OF_ANY_PAGE, "Origin", "Referer", "Sec-Fetch-Site")


def write(config: Config, folder: Path) -> Path:
    """Write nginx's configuration into a folder, which also takes its temporary files; return the file's path."""
    header = config.login.header
    trusted = (header.user, header.groups, header.secret_header) if config.login.mode == "header" else ()
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = environment.get_template("nginx.conf.j2").render(
        config=config,
        ipv6=_IPV6.exists() and bool(_IPV6.read_text()),
        folder=folder,
        is_root=os.geteuid() == 0,
        lua_folder=_HERE / "lua",
        trusted=trusted,
        credentials=("Cookie", "Authorization", *trusted),
        to_answer=_TO_ANSWER,
        to_targets=_TO_TARGETS,
        to_own=_TO_OWN,
        variable=lambda name: name.lower().replace("-", "_"),
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "nginx.conf"
    path.write_text(text)
    return path


def run(config: Config, folder: Path) -> NoReturn:
    """Become nginx, in the foreground."""
    path = write(config, folder)
    # An nginx that was killed leaves its socket, and the next could not listen there.
    Path(config.control_socket).unlink(missing_ok=True)
    os.execvp("nginx", ["nginx", "-e", "stderr", "-c", str(path)])
