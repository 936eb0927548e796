"""Looks into the private database before there is a Django to ask; nothing is locked or made beside it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from deploy.launcher.config import APPS, Config
from deploy.launcher.errors import LauncherError


def path(config: Config) -> Path:
    """Return where it is, or would be."""
    return config.state_dir / "db" / "nebulet.sqlite3"


def applied(config: Config) -> list[tuple[str, str]]:
    """Return app and name of each migration that it has, oldest first; none where it cannot be read.

    What a killed process left in the journal beside it is not seen.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path(config)))}?mode=ro&immutable=1", uri=True)) as database:
            return list(database.execute("SELECT app, name FROM django_migrations ORDER BY id"))
    except sqlite3.Error:
        return []


def check_version(config: Config) -> None:
    """LauncherError when it is of a newer version than this code. Any other database is looked at by `manage.py migrate`."""
    if "DATABASE_URL" in config.environ:
        return
    folders = [folder for app in APPS for folder in (config.checkout / app).rglob("migrations")]
    known = {folder.parent.name: {file.stem for file in folder.glob("*.py")} for folder in folders}
    newer = [f"{app}.{name}" for app, name in applied(config) if app in known and name not in known[app]]
    if newer:
        raise LauncherError(
            f"The database in {config.state_dir} is of a newer version of Nebulet, which wrote {newer[-1]}. Install that version, "
            "or restore the backup that was made before its update. Nothing was changed."
        )
