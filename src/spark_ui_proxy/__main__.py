"""`python -m spark_ui_proxy serve|gateway --config FILE`, `python -m spark_ui_proxy check URL`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import uvloop

from spark_ui_proxy import gateway, logs
from spark_ui_proxy.app import serve
from spark_ui_proxy.check import check
from spark_ui_proxy.config import Config, ConfigError, load
from spark_ui_proxy.session import SessionError


def main() -> int:
    """Run a command; 1: a check found something wrong; 2: the configuration cannot be used, or nothing answers."""
    parser = argparse.ArgumentParser(prog="spark_ui_proxy")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="decide for nginx, and serve the page")
    serving.set_defaults(run=_serve)
    proxying = commands.add_parser("gateway", help="become nginx, configured as the file says")
    proxying.set_defaults(run=gateway.run)
    for command in (serving, proxying):
        command.add_argument("--config", type=Path, required=True, metavar="FILE")
    proxying.add_argument(
        "--folder", type=Path, required=True, help="where nginx keeps its files, a new one each start"
    )
    checking = commands.add_parser("check", help="ask a door that runs whether it keeps strangers out")
    checking.set_defaults(run=check)
    checking.add_argument("url", help="of the door, with its base path and a / at the end")
    checking.add_argument("--host", default="", help="the name that people ask for, where it is another")
    arguments = vars(parser.parse_args())
    run = arguments.pop("run")
    del arguments["command"]
    try:
        if "config" in arguments:
            arguments["config"] = load(arguments["config"])
        return 1 if run(**arguments) is False else 0
    except (ConfigError, SessionError, OSError) as error:
        print(f"spark-ui-proxy: {error}", file=sys.stderr)
        return 2


def _serve(config: Config) -> None:
    logs.start()
    uvloop.run(serve(config))


if __name__ == "__main__":
    sys.exit(main())
