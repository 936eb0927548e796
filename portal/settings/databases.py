"""The database that an address names, with what Nebulet needs of it."""

import re
from typing import Any
from urllib.parse import urlencode

import dj_database_url

_ENGINES = {
    "django.db.backends.mysql": "portal.core.mariadb",
    "django.db.backends.postgresql": "portal.core.postgresql",
    "django.db.backends.sqlite3": "portal.core.sqlite",
}
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
# A machine that went without a word is noticed within half a minute. Of several servers the one that takes writes is wanted.
_POSTGRESQL = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
    "target_session_attrs": "read-write",
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "portal.core.sqlite": _SQLITE,
    "portal.core.mariadb": _MARIADB,
    "portal.core.postgresql": _POSTGRESQL,
}
_SEVERAL = re.compile(r"(\w+://(?:[^/?#]*@)?)([^/?#@]*,[^/?#@]*)(/[^?#]*)?(?:\?(.*))?")
_PLACE = re.compile(r"(\[[^]]*\]|[^:]*)(?::(\d*))?")


def database(url: str) -> dict[str, Any]:
    """Return Django's settings for the database at ``url``, which may name several servers of PostgreSQL."""
    found: dict[str, Any] = dict(dj_database_url.parse(_as_options(url), conn_max_age=600, conn_health_checks=True))
    found["ENGINE"] = _ENGINES.get(found["ENGINE"], found["ENGINE"])
    found["OPTIONS"] = {**_OPTIONS.get(found["ENGINE"], {}), **found.get("OPTIONS", {})}
    return found


def _as_options(url: str) -> str:
    """Return an address that names several servers, ``host:port,host:port``, with options of libpq in their place; any other as it is."""
    several = _SEVERAL.fullmatch(url)
    if several is None:
        return url
    begin, places, path, query = several.groups("")
    pairs = [found.groups("") for place in places.split(",") if (found := _PLACE.fullmatch(place))]
    hosts, ports = (",".join(parts) for parts in zip(*pairs, strict=True))
    named = urlencode({"host": hosts.replace("[", "").replace("]", ""), "port": ports})
    return f"{begin}{path}?{named}{'&' if query else ''}{query}"
