"""The virtual environment in the checkout, filled with the pinned requirements."""

import os
import shutil
import sys
from pathlib import Path

from deploy.launcher import shell
from deploy.launcher.config import APPS, Config
from deploy.launcher.errors import LauncherError
from deploy.launcher.identity import as_checkout_owner
from deploy.launcher.stamps import Stamp, digest

_OLDEST = (3, 11)


MARIADB = "deploy/requirements/mariadb.txt"


def ensure(config: Config, *, dev: bool = False, mariadb: bool = False) -> str:
    """Make the environment hold the requirements; return what was done.

    With ``dev`` those of tests and checks too; with ``mariadb`` that database's driver, even if the installation has another.
    """
    names = [
        "requirements.txt",
        *(["requirements-dev.txt"] if dev else []),
        *([MARIADB] if mariadb or config.on_mariadb else []),
    ]
    made = _ensure_venv(config)
    done = [name for name in names if install(config, config.checkout / name)]
    return f"installed {', '.join(done)}" if done else ("made" if made else "")


def install(config: Config, requirements: Path) -> bool:
    """Install a file of pinned and hashed requirements unless that is done; return whether it was to do."""
    stamp = Stamp(config.venv / f".nebulet-{requirements.name}")
    value = digest([], requirements.name, requirements.read_text())
    if stamp.matches(value):
        return False
    stamp.forget()
    if not _install_with_uv(config, requirements):
        shell.run(
            [
                *as_checkout_owner(config.checkout),
                config.python,
                "-m",
                "pip",
                "install",
                "-q",
                "--no-input",
                "-r",
                requirements,
            ],
            failure=f"pip could not install {requirements.name}.",
            mend=f"{config.python} -m pip install -r {requirements}",
        )
    stamp.write(value)
    return True


def _install_with_uv(config: Config, requirements: Path) -> bool:
    """Whether uv could do it. From nothing, pip takes 23 s; fetching uv and letting it install takes 11 s.

    uv reads no pip.conf: where that names the only reachable index, it fails, and pip does it.
    """
    if not ensure_uv(config):
        return False
    # The service user cannot write into the environment: without compiled files each start would compile all of Django.
    command: list[str | Path] = [
        config.venv / "bin" / "uv",
        "pip",
        "install",
        "-q",
        "--compile-bytecode",
        "--require-hashes",
        "--python",
        config.python,
    ]
    index = os.environ.get("PIP_INDEX_URL")
    command += ["--default-index", index] if index else []
    return shell.succeeds([*as_checkout_owner(config.checkout), *command, "-r", requirements], timeout_s=900)


def compile_code(config: Config) -> None:
    """Compile what changed of our own code: the service user cannot, and would do it in memory at each start.

    Where that fails, in a checkout nobody may write to, all works all the same.
    """
    shell.succeeds([*as_checkout_owner(config.checkout), config.python, "-m", "compileall", "-q", *APPS], cwd=config.checkout)


def ensure_uv(config: Config) -> bool:
    """Put uv into the environment unless it is there; False when that cannot be."""
    if (config.venv / "bin" / "uv").exists():
        return True
    pinned = config.checkout / "deploy" / "requirements" / "uv.txt"
    pip: list[str | Path] = [config.python, "-m", "pip", "install", "-q", "--no-input", "-r", pinned]
    return shell.succeeds([*as_checkout_owner(config.checkout), *pip], timeout_s=120)


def _ensure_venv(config: Config) -> bool:
    if _works(config):
        return False
    shutil.rmtree(config.venv, ignore_errors=True)
    shell.run(
        [*as_checkout_owner(config.checkout), base_python(), "-m", "venv", config.venv],
        failure="The virtual environment cannot be made.",
        mend="apt-get install -y python3-venv",
    )
    return True


def _works(config: Config) -> bool:
    """Whether the environment is whole and of the interpreter it points to: an upgrade of the system changes that one."""
    script = "import os, sys; v = sys.version_info; sys.exit(not os.path.isdir(f'{sys.argv[1]}/lib/python{v[0]}.{v[1]}'))"
    if not shell.succeeds([config.python, "-I", "-S", "-c", script, config.venv]):
        return False
    finished_once = any(config.venv.glob(".nebulet-*"))
    return finished_once or shell.succeeds([config.python, "-m", "pip", "--version"])


def base_python() -> str:
    """The system's interpreter if it is new enough: one in a home folder cannot be read by the service user."""
    system = "/usr/bin/python3"
    wanted = f"import sys; sys.exit(sys.version_info < {_OLDEST})"
    if shell.succeeds([system, "-c", wanted]):
        return system
    if sys.version_info >= _OLDEST:
        return sys.executable
    raise LauncherError("Nebulet needs Python 3.11 or newer.", "apt-get install -y python3")
