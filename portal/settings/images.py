"""The operator's file about images: which stores there are, what may be imported, and from where. See docs/operator/image-stores.md."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DRIVERS = {
    "file": "images.stores.filesystem.FilesystemStore",
    "http": "images.stores.http.HttpStore",
    "s3": "images.stores.s3.S3Store",
}
METHODS = ["glance-direct", "web-download", "copy-image", "glance-download"]
FETCH: dict[str, Any] = {
    "allowed_schemes": ["http", "https"],
    "disallowed_schemes": [],
    "allowed_hosts": [],
    "disallowed_hosts": [],
    "allowed_ports": [80, 443],
    "disallowed_ports": [],
    "allowed_networks": [],
    "max_redirects": 3,
    "idle_timeout_s": 30,
    "least_bytes_per_s": 1024,
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class ImageFile:
    """What the file says, with its defaults filled in."""

    stores: dict[str, dict[str, Any]]
    default_store: str
    staging: Path
    import_methods: list[str]
    fetch: dict[str, Any]
    show_multiple_locations: bool
    do_secure_hash: bool

    @classmethod
    def read(cls, file: Path, state: Path) -> "ImageFile":
        """Return the settings of a file, those of no file where there is none; raises ValueError for what it cannot mean."""
        said: dict[str, Any] = tomllib.loads(file.read_text()) if file.is_file() else {}
        stores = said.pop("stores", None) or {"file": {"type": "file", "path": str(state / "images")}}
        made = cls(
            stores={name: _store(name, options) for name, options in stores.items()},
            default_store=said.pop("default_store", next(iter(stores))),
            staging=Path(said.pop("staging", state / "staging")),
            import_methods=said.pop("import_methods", METHODS),
            fetch=_known("fetch", said.pop("fetch", {}), FETCH),
            show_multiple_locations=bool(said.pop("show_multiple_locations", False)),
            do_secure_hash=bool(said.pop("do_secure_hash", True)),
        )
        if said:
            raise ValueError(f"{file}: there is no setting {next(iter(said))}.")
        made.check()
        return made

    def check(self) -> None:
        """Raise ValueError when the parts do not fit each other."""
        if self.default_store not in self.stores or self.stores[self.default_store]["driver"] == DRIVERS["http"]:
            raise ValueError(f"The default image store {self.default_store!r} is not one that takes images.")
        unknown = set(self.import_methods) - set(METHODS)
        if unknown:
            raise ValueError(f"There is no import method {min(unknown)!r}.")


def _store(name: str, options: dict[str, Any]) -> dict[str, Any]:
    kind = options.pop("type", None)
    if kind not in DRIVERS:
        raise ValueError(f"The type of image store {name!r} must be one of {', '.join(DRIVERS)}.")
    if not _NAME.fullmatch(name) or name.startswith("os_glance_"):
        raise ValueError(f"{name!r} cannot be the name of an image store.")
    return {"driver": DRIVERS[kind], **options}


def _known(table: str, said: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    for name, value in said.items():
        if name not in defaults or type(value) is not type(defaults[name]):
            raise ValueError(f"Setting {name!r} of {table} is not known, or not of the kind it must be.")
    return {**defaults, **said}
