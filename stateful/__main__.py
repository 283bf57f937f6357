"""The command line: `stateful run SCRIPT [ARGS]` and `stateful compare PATH...`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from stateful.cache import cache_programs
from stateful.compare import alias, command, script


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(prog="stateful", description="PyTorch programs on JAX.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a PyTorch script: `import torch` means stateful")
    run.add_argument(
        "--no-cache", action="store_true", help="do not keep compiled programs on disk"
    )
    run.add_argument("script", type=Path)
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="what the script sees in sys.argv")
    compare = commands.add_parser(
        "compare", help="run programs under real PyTorch, stateful and as functional twins"
    )
    command.add_arguments(compare)
    options = parser.parse_args(arguments)
    if options.command == "compare":
        return command.execute(options)
    if not options.no_cache:
        cache_programs()
    return _run(options.script, options.arguments)


def _run(path: Path, arguments: Sequence[str]) -> int:
    if not path.is_file():
        print(f"stateful run: no such file: {path}", file=sys.stderr)
        return 2
    alias.install()
    try:
        script.run_script(path, arguments)
    except SystemExit:
        raise
    except BaseException as error:
        script.print_error(error)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
