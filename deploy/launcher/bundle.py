"""The browser bundle: npm's packages and esbuild's result in static/dist."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.launcher import shell, venv
from deploy.launcher.config import Config
from deploy.launcher.errors import LauncherError
from deploy.launcher.identity import as_checkout_owner
from deploy.launcher.stamps import Stamp, digest

_OLDEST_NODE = 20


def ensure(config: Config) -> str:
    """Build the bundle unless its sources are those of the last build; return what was done."""
    checkout = config.checkout
    if not (checkout / "package.json").exists():
        return "no package.json"
    stamp = Stamp(checkout / "static" / "dist" / ".stamp")
    value = digest(_sources(checkout))
    if stamp.matches(value):
        return ""
    stamp.forget()
    node = find_node() or _node_from_pypi(config)
    _install_packages(checkout, node)
    _npm(checkout, node, "run", "build")
    stamp.write(value)
    return "built"


def find_node() -> Path | None:
    """Return the folder of a node on PATH that is new enough and has npm beside it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return None
    major = re.match(r"v(\d+)", version)
    return Path(npm).parent if major and int(major[1]) >= _OLDEST_NODE else None


def _node_from_pypi(config: Config) -> Path:
    venv.install(config, config.checkout / "deploy" / "requirements" / "node.txt")
    return config.venv / "bin"


def _install_packages(checkout: Path, node: Path) -> None:
    stamp = Stamp(checkout / "node_modules" / ".nebulet")
    value = digest([], (checkout / "package-lock.json").read_text(), (checkout / "package.json").read_text())
    if not stamp.matches(value):
        stamp.forget()
        _npm(checkout, node, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        stamp.write(value)


def _npm(checkout: Path, node: Path, *arguments: str) -> None:
    try:
        shell.run(
            [*as_checkout_owner(checkout), node / "npm", *arguments],
            failure="The browser bundle cannot be built.",
            mend=f"npm {' '.join(arguments)}",
            env={**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', os.defpath)}"},
            cwd=checkout,
        )
    except LauncherError as error:
        # A packages folder that was half written is not to be trusted by the next run.
        (checkout / "node_modules" / ".nebulet").unlink(missing_ok=True)
        raise error


def _sources(checkout: Path) -> Iterator[Path]:
    yield from (checkout / name for name in ("package.json", "package-lock.json"))
    dist = checkout / "static" / "dist"
    yield from (file for file in (checkout / "static").rglob("*") if file.is_file() and dist not in file.parents)
