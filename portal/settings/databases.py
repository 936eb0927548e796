"""The database that an address names, with what Nebulet needs of it."""

from typing import Any

import dj_database_url

_ENGINES = {"django.db.backends.mysql": "portal.core.mariadb", "django.db.backends.sqlite3": "portal.core.sqlite"}
_SQLITE = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000;",
}
# Strict: what does not fit is refused, not cut. Simultaneous: an UPDATE reads the old values, as everywhere else.
_MARIADB = {
    "charset": "utf8mb4",
    "collation": "utf8mb4_nopad_bin",
    "isolation_level": "read committed",
    "sql_mode": "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,SIMULTANEOUS_ASSIGNMENT",
}
_OPTIONS: dict[str, dict[str, Any]] = {"portal.core.sqlite": _SQLITE, "portal.core.mariadb": _MARIADB}


def database(url: str) -> dict[str, Any]:
    """Return Django's settings for the database at ``url``."""
    found: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=600, conn_health_checks=True))
    found["ENGINE"] = _ENGINES.get(found["ENGINE"], found["ENGINE"])
    found["OPTIONS"] = {**_OPTIONS.get(found["ENGINE"], {}), **found.get("OPTIONS", {})}
    return found
