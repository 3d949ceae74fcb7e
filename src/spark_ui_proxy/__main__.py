"""`python -m spark_ui_proxy serve --config FILE`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import uvloop

from spark_ui_proxy import logs
from spark_ui_proxy.app import serve
from spark_ui_proxy.config import Config, ConfigError, load
from spark_ui_proxy.session import SessionError


def main() -> int:
    """Run a command; 2: the configuration cannot be used."""
    parser = argparse.ArgumentParser(prog="spark_ui_proxy")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="decide for nginx, and serve the page")
    serving.set_defaults(run=_serve)
    serving.add_argument("--config", type=Path, required=True, metavar="FILE")
    arguments = parser.parse_args()
    try:
        arguments.run(load(arguments.config))
    except (ConfigError, SessionError, OSError) as error:
        print(f"spark-ui-proxy: {error}", file=sys.stderr)
        return 2
    return 0


def _serve(config: Config) -> None:
    logs.start()
    uvloop.run(serve(config))


if __name__ == "__main__":
    sys.exit(main())
