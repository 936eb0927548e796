"""`python -m images.builder`: builds the small Linux named tiny."""

import argparse
import sys
from pathlib import Path

from images.builder.errors import BuildError
from images.builder.recipe import build


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 built, 2 when something is missing (one sentence on standard error says what)."""
    options = _parser().parse_args(arguments)
    try:
        manifest = build(options.output, options.cache, work=options.work, tell=_tell)
    except BuildError as error:
        print(f"tiny was not built: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"tiny was not built: {error.filename or 'a file'}: {error.strerror}.", file=sys.stderr)
        return 2
    print(f"tiny with kernel {manifest.kernel_version} in {options.output}:")
    for image in manifest.images:
        print(f"  {image.file:<18} {image.size:>10} bytes  {image.disk_format}")
    return 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m images.builder",
        description="Builds the small Linux named tiny from the distribution's packages. Needs no root.",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the images and manifest.json go")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep downloaded packages here for the next build")
    parser.add_argument("--work", type=Path, metavar="DIR", help="make the temporary folder here (default: the system's)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
