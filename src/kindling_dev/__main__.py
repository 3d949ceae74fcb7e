"""``python -m kindling_dev up|down|test|generate|release``: what the scripts of the same names run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindling import terminal
from kindling_dev.command import Failure
from kindling_dev.commands import IMAGES, Release, down, run_tests, up, write_generated, write_release


def main(argv: list[str]) -> int:
    """Run one command; return the process's exit code."""
    parser = argparse.ArgumentParser(prog="scripts/", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up_parser = commands.add_parser("up", prog="scripts/up", help="cluster, charts and the first two jobs")
    up_parser.add_argument("--no-jobs", action="store_true", help="stop when the cluster and its namespaces are there")
    down_parser = commands.add_parser("down", prog="scripts/down", help="remove the cluster")
    down_parser.add_argument("--purge", action="store_true", help="also the cache folder, our images and our engine")
    test_parser = commands.add_parser(
        "test", prog="scripts/test", help="set up what tests need and run them", epilog="Other arguments go to pytest."
    )
    test_parser.add_argument("--long", action="store_true", help="also the tests marked 'long'")
    commands.add_parser("generate", prog="scripts/generate", help="write what is generated again")
    release_parser = commands.add_parser("release", prog="scripts/release", help="build, and push, what is released")
    release_parser.add_argument(
        "--folder",
        type=Path,
        default=Path("artifacts/release"),
        help="where the packages go, below the repository (%(default)s)",
    )
    release_parser.add_argument("--version", default="", help="refuse charts of another version")
    release_parser.add_argument("--sign", default="", metavar="KEY", help="sign the packages with this key of GnuPG's")
    release_parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="has the key's passphrase")
    release_parser.add_argument("--push", default="", metavar="REGISTRY", help="push the packages to REGISTRY/charts")
    images = release_parser.add_mutually_exclusive_group()
    images.add_argument(
        "--images",
        default="",
        metavar="REGISTRY",
        help=f"build the images, push them to REGISTRY/spark …, and write their digests into the folder's {IMAGES}",
    )
    images.add_argument("--digests", type=Path, metavar="FILE", help=f"the {IMAGES} of a run with --images")
    release_parser.add_argument(
        "--mirror", default="", metavar="REGISTRY", help="ask REGISTRY, not Docker Hub, for the official image's digest"
    )
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.command != "test":
        parser.error(f"unknown argument: {rest[0]}")
    # Of a program that failed its last words are shown, and they may be a container's.
    terminal.guard()
    try:
        if arguments.command == "up":
            up(jobs=not arguments.no_jobs)
            return 0
        if arguments.command == "down":
            down(purge=arguments.purge)
            return 0
        if arguments.command == "generate":
            write_generated()
            return 0
        if arguments.command == "release":
            from kindling_dev.release import Signer

            write_release(
                Release(
                    folder=arguments.folder,
                    version=arguments.version,
                    images_to=arguments.images,
                    mirror=arguments.mirror,
                    digests=arguments.digests,
                    push=arguments.push,
                    signer=Signer(arguments.sign, arguments.passphrase_file) if arguments.sign else None,
                )
            )
            return 0
        run_tests(rest, long=arguments.long)
    except Failure as failure:
        print(f"kindling: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("kindling: interrupted; run the same command again to go on from here", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
