"""Brings an installation to the state of the code: database, static files, first rows, first images."""

from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.launcher import database
from deploy.launcher.config import APPS, Config
from deploy.launcher.identity import Identity, manage
from deploy.launcher.stamps import Stamp, digest
from deploy.launcher.state import read_secret

_IN_DATABASE = ("seed", "images", "demo")


class Installation:
    """What is done once, and again only when what it depends on changed."""

    def __init__(self, config: Config, identity: Identity) -> None:
        self._config = config
        self._identity = identity
        self._checkout = config.checkout

    def migrate(self) -> str:
        """Bring the database to the models; return what was done."""
        files = [file for app in APPS for file in (self._checkout / app).rglob("migrations/*.py")]
        files.append(self._checkout / "requirements.txt")
        if not self._own_database_exists():
            for name in _IN_DATABASE:
                self._stamp(name).unlink(missing_ok=True)
        # What the database says belongs to it: it may have been restored from before an upgrade.
        return self._once(
            "migrate",
            lambda: digest(files, self._database, *map(".".join, database.applied(self._config))),
            ["migrate", "--no-input"],
            done=self._own_database_exists(),
        )

    def collect_static(self) -> str:
        """Put the static files where the web process serves them; return what was done."""
        dist = self._checkout / "static" / "dist"
        files = [file for file in dist.rglob("*") if file.is_file()]
        value = digest([*files, self._checkout / "requirements.txt"])
        manifest = self._config.state_dir / "static" / "staticfiles.json"
        return self._once("static", lambda: value, ["collectstatic", "--no-input", "--clear"], done=manifest.exists())

    def seed(self) -> str:
        """Make the first users, roles, endpoints, flavors and definitions; return what was done."""
        passwords = [read_secret(self._config, name) for name in ("admin-password", "demo-password")]
        value = digest(self._code(), self._database, self._config.public_url, self._config.name, *passwords)
        return self._once("seed", lambda: value, ["seed"], done=self._own_database_exists())

    def seed_images(self) -> str:
        """Make the first images; return what was done.

        Building them may fail where no mirror answers; then the store stays empty and the next start tries again.
        """
        builder = (file for file in (self._checkout / "images" / "builder").rglob("*") if file.suffix != ".pyc")
        value = digest(builder, self._database)
        printed = self._once("images", lambda: value, ["seed_images"], done=self.has_images() and self._own_database_exists())
        if not self.has_images():
            Stamp(self._stamp("images")).write("")
        return printed

    def seed_demo(self) -> str:
        """Fill the demonstration with projects, hosts and servers; return what was done."""
        value = digest(self._code(), self._database)
        return self._once("demo", lambda: value, ["seed_demo"], done=self._own_database_exists())

    def _once(self, name: str, value: Callable[[], str], command: list[str], *, done: bool) -> str:
        stamp = Stamp(self._stamp(name))
        if done and stamp.matches(value()):
            return ""
        stamp.forget()
        printed = manage(self._config, self._identity, *command).strip()
        stamp.write(value())
        return printed.splitlines()[-1].strip() if printed else "done"

    def _stamp(self, name: str) -> Path:
        return self._config.state_dir / "stamps" / name

    @property
    def _database(self) -> str:
        return self._config.environ.get("DATABASE_URL", "")

    def _own_database_exists(self) -> bool:
        """Of a database elsewhere we cannot tell whether it is still the one we filled, so the work is done again."""
        return not self._database and database.path(self._config).exists()

    def has_images(self) -> bool:
        """Whether the store holds an image; parts of uploads that were killed are none."""
        return any(entry.is_file() and entry.name[0] != "." for entry in (self._config.state_dir / "images").iterdir())

    def _code(self) -> Iterator[Path]:
        for app in APPS:
            yield from (self._checkout / app).rglob("*.py")
            yield from (self._checkout / app).rglob("policy.json")
            yield from (self._checkout / app).rglob("definitions/*.json")
