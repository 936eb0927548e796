"""Who runs what: root's work as root, all else as the service user, wherever the checkout lies."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.launcher import shell
from deploy.launcher.config import INSTALLERS, PASSED_ON, SERVICE_USER, Config
from deploy.launcher.errors import LauncherError
from deploy.launcher.state import Owner

# The mount exists only in the namespace of the process that is started.
_SHOW_CODE = 'mount --bind "$1" "$2" && cd "$2" && shift 2 && exec "$@"'


@dataclass(frozen=True)
class Identity:
    """How to start a process as the service user. ``user`` is None when we are not root: then all run as we do."""

    checkout: Path
    user: str | None
    owner: Owner
    code: Path

    @property
    def python(self) -> str:
        """The interpreter as the service user sees it."""
        return str(self.code / ".venv" / "bin" / "python")

    def service(self, command: Sequence[str]) -> list[str]:
        """Return the command as the service user runs it; it ends when its parent does."""
        return [*self._show_code(), "setpriv", *self._become(), "--pdeathsig", "TERM", "--", *command]

    def root(self, command: Sequence[str]) -> list[str]:
        """Return the command as we run it ourselves; it ends when its parent does."""
        return ["setpriv", "--pdeathsig", "TERM", "--", *command]

    def _show_code(self) -> list[str]:
        if self.code == self.checkout:
            return []
        script = ["sh", "-c", _SHOW_CODE, "sh", str(self.checkout), str(self.code)]
        return ["unshare", "--mount", "--propagation", "private", "--", *script]

    def _become(self) -> list[str]:
        if self.user is None:
            return []
        return ["--reuid", self.user, "--regid", self.user, "--init-groups", "--no-new-privs"]


def ensure_root(arguments: Sequence[str]) -> None:
    """Go on as root: do nothing if we are, else start again through sudo, saying so."""
    if os.geteuid() == 0:
        return
    program = os.path.realpath(sys.argv[0])
    if shutil.which("sudo") is None:
        raise LauncherError(
            "Nebulet starts virtual machines, networks and a service user, which takes root.",
            f"su -c '{program} {' '.join(arguments)}'",
        )
    wanted = ("NEBULET_", *INSTALLERS)
    kept = sorted(key for key in os.environ if key.upper().startswith(wanted) or key in PASSED_ON)
    print(f"This takes root; running: sudo {program} {' '.join(arguments)}", flush=True)
    os.execvp("sudo", ["sudo", f"--preserve-env={','.join(kept)}", "--", program, *arguments])  # noqa: S606


def ensure_service_user() -> str:
    """Return what was done so that the system user exists; only root can do it."""
    try:
        pwd.getpwnam(SERVICE_USER)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        command += ["--shell", "/usr/sbin/nologin", SERVICE_USER]
        shell.run(command, failure=f"The system user {SERVICE_USER} cannot be made.", mend=" ".join(command))
        return f"made the user {SERVICE_USER}"
    return ""


def service_owner() -> Owner:
    """Return who owns what the services write: the service user, or ourselves when we are not root."""
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid())
    entry = pwd.getpwnam(SERVICE_USER)
    return Owner(entry.pw_uid, entry.pw_gid)


def find_identity(config: Config, *, python: str | None = None) -> Identity:
    """Return how services are started here; ``python`` stands in while there is no virtual environment yet.

    A checkout that the service user cannot reach, in a home folder say, is shown to it at another path. Whether it
    reaches it is tried, not computed: access lists and modules of the kernel have a say too.
    """
    owner = service_owner()
    plain = Identity(config.checkout, None, owner, config.checkout)
    if os.geteuid() != 0:
        return plain
    direct = Identity(config.checkout, SERVICE_USER, owner, config.checkout)
    if _reads_code(direct, python):
        return direct
    code = Path("/run/nebulet") / config.name / "code"
    code.mkdir(parents=True, exist_ok=True)
    shown = Identity(config.checkout, SERVICE_USER, owner, code)
    if _reads_code(shown, python):
        return shown
    raise LauncherError(
        f"The user {SERVICE_USER} cannot read {config.checkout} and its .venv, and this system does not let it be shown elsewhere.",
        f"rm -rf {config.venv}; mv {config.checkout} /opt/nebulet && chmod -R go+rX /opt/nebulet && /opt/nebulet/nebulet up",
    )


def _reads_code(identity: Identity, python: str | None) -> bool:
    script = "import sys; open(sys.argv[1]).close()"
    command = [python or identity.python, "-I", "-S", "-c", script, str(identity.code / "manage.py")]
    return shell.succeeds(identity.service(command))


def as_checkout_owner(checkout: Path) -> list[str]:
    """Return what to put before a command that writes into the checkout, so that its owner can later do the same."""
    uid = checkout.stat().st_uid
    if os.geteuid() != 0 or uid == 0:
        return []
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return []
    prefix = ["setpriv", "--reuid", str(uid), "--regid", str(entry.pw_gid), "--init-groups", "--"]
    return [*prefix, "env", f"HOME={entry.pw_dir}"]


def manage(config: Config, identity: Identity, *arguments: str) -> str:
    """Run a command of manage.py with the installation's environment as the service user; return what it printed."""
    return shell.run(
        identity.service([identity.python, "manage.py", *arguments]),
        failure=f"manage.py {arguments[0]} failed.",
        mend=f"{config.prefix}./nebulet manage {' '.join(arguments)}",
        env=config.child_environment(home=config.state_dir),
        cwd=config.checkout,
    )


def manage_live(config: Config, identity: Identity, arguments: Sequence[str]) -> int:
    """Run a command of manage.py at this terminal; return its exit code."""
    return subprocess.run(
        identity.service([identity.python, "manage.py", *arguments]),
        env={**config.child_environment(home=config.state_dir), "TERM": os.environ.get("TERM", "dumb")},
        cwd=config.checkout,
        check=False,
    ).returncode
