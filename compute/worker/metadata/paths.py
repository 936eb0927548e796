"""Which document lies at which path: OpenStack's versions and EC2's, as they are listed and as they are read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from compute.virt import instance_data
from compute.virt.instance_data import InstanceData

EC2_VERSIONS = (
    *("1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01", "2009-04-04"),
    "latest",
)
OPENSTACK_VERSIONS = (
    *("2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30", "2016-10-06", "2017-02-22", "2018-08-27"),
    *("2020-10-14", "2025-04-04", "latest"),
)
PASSWORD = "password"  # noqa: S105 - the name of a document
_SINCE = {
    "meta_data.json": "2012-08-10",
    "user_data": "2012-08-10",
    PASSWORD: "2013-04-04",
    "vendor_data.json": "2013-10-17",
    "network_data.json": "2015-10-15",
    "vendor_data2.json": "2016-10-06",
}
_TEXT, _JSON = "text/plain; charset=utf-8", "application/json"


@dataclass(frozen=True)
class Found:
    """What lies at a path."""

    body: bytes
    kind: str = _TEXT


def look_up(data: InstanceData, path: str) -> Found | None:
    """Return the document or the list at a path, None where nothing is."""
    words = [word for word in path.partition("?")[0].split("/") if word]
    if not words:
        return _list(EC2_VERSIONS)
    if words[0] == "openstack":
        return _openstack(data, words[1:])
    if words[0] == "ec2":
        words = words[1:]
    return _ec2(data, words)


def is_password(path: str) -> bool:
    """Whether a path is where a guest leaves its password for its owner."""
    words = [word for word in path.partition("?")[0].split("/") if word]
    return len(words) == 3 and words[0] == "openstack" and words[1] in OPENSTACK_VERSIONS[1:] and words[2] == PASSWORD


def _openstack(data: InstanceData, words: list[str]) -> Found | None:
    if not words:
        return _list(OPENSTACK_VERSIONS)
    folder, names = words[0], words[1:]
    if folder == "content":
        held = instance_data.contents(data)
        return Found(held[names[0]]) if len(names) == 1 and names[0] in held else None
    if folder not in OPENSTACK_VERSIONS or len(names) > 1:
        return None
    documents = {**instance_data.openstack(data), PASSWORD: data.password.encode()}
    known = {name: content for name, content in documents.items() if _SINCE[name] <= folder}  # "latest" sorts behind all dates
    if not names:
        return _list(name for name in _SINCE if name in known)
    if names[0] not in known:
        return None
    return Found(known[names[0]], _JSON if names[0].endswith(".json") else _TEXT)


def _ec2(data: InstanceData, words: list[str]) -> Found | None:
    if not words:
        return _list(EC2_VERSIONS)
    if words[0] not in EC2_VERSIONS:
        return None
    here: Any = {"meta-data": data.ec2_data}
    if data.user_data is not None:
        here["user-data"] = instance_data.decoded(data.user_data, "The user data is")
    for word in words[1:]:
        if not isinstance(here, Mapping) or word not in here or word == "_name":
            return None
        here = here[word]
    return _shown(here)


def _shown(value: Any) -> Found:
    if isinstance(value, Mapping):
        return _list(_listed(name, inner) for name, inner in sorted(value.items()) if name != "_name")
    if isinstance(value, list):
        return _list(value)
    return Found(value if isinstance(value, bytes) else str(value).encode())


def _listed(name: str, inner: Any) -> str:
    """A folder is listed with a slash behind it, unless it has a name of its own for lists: EC2 does so with public keys."""
    if not isinstance(inner, Mapping):
        return name
    return str(inner.get("_name", f"{name}/"))


def _list(names: Iterable[str]) -> Found:
    return Found("\n".join(names).encode())
