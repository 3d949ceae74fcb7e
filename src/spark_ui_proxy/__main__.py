"""`python -m spark_ui_proxy serve|gateway --config FILE`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import uvloop

from spark_ui_proxy import gateway, logs
from spark_ui_proxy.app import serve
from spark_ui_proxy.config import Config, ConfigError, load


def main() -> int:
    """Run a command; 2: the configuration cannot be used."""
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
    arguments = vars(parser.parse_args())
    run, config = arguments.pop("run"), arguments.pop("config")
    del arguments["command"]
    try:
        run(load(config), **arguments)
    except (ConfigError, OSError) as error:
        print(f"spark-ui-proxy: {error}", file=sys.stderr)
        return 2
    return 0


def _serve(config: Config) -> None:
    logs.start()
    uvloop.run(serve(config))


if __name__ == "__main__":
    sys.exit(main())
