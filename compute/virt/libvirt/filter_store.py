"""What this host was told last of its ports and groups, in files, so that a restart forgets nothing."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from compute.virt.filtering import GroupSpec, PortFilter
from compute.virt.libvirt.storage import sentences

LOG = logging.getLogger(__name__)

T = TypeVar("T", PortFilter, GroupSpec)


@dataclass
class Changes:
    """What is new: ports with what was known of them before, and groups."""

    ports: list[tuple[PortFilter, PortFilter | None]] = field(default_factory=list)
    groups: list[GroupSpec] = field(default_factory=list)


class FilterStore:
    """Ports and groups by their ids. Whoever uses it sees to it that nobody else does meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._ports_folder, self._groups_folder = folder / "ports", folder / "groups"
        self.ports = {one.port_id: one for one in _read(self._ports_folder, PortFilter)}
        self.groups = {one.id: one for one in _read(self._groups_folder, GroupSpec)}

    def merge(self, ports: list[PortFilter], groups: list[GroupSpec]) -> Changes:
        """Keep what is newer than what is known and return it."""
        changes = Changes()
        for group in groups:
            known = self.groups.get(group.id)
            if known is None or known.revision < group.revision:
                self.groups[group.id] = group
                _write(self._groups_folder, group.id, group)
                changes.groups.append(group)
        for port in ports:
            before = self.ports.get(port.port_id)
            if before is None or before.revision < port.revision:
                self.ports[port.port_id] = port
                _write(self._ports_folder, port.port_id, port)
                changes.ports.append((port, before))
        return changes

    def forget(self, port_id: str) -> PortFilter | None:
        """Return what was known of a port that is gone."""
        _remove(self._ports_folder, port_id)
        return self.ports.pop(port_id, None)

    def forget_unused(self) -> list[str]:
        """Return the ids of groups that no port here needs any more, neither to be in nor for a rule."""
        used = {group_id for port in self.ports.values() for group_id in port.groups}
        rules = [rule for group_id in used if group_id in self.groups for rule in self.groups[group_id].rules]
        used |= {rule.group_id for rule in rules if rule.group_id}
        gone = sorted(self.groups.keys() - used)
        for group_id in gone:
            _remove(self._groups_folder, group_id)
            del self.groups[group_id]
        return gone


def _read(folder: Path, kind: type[T]) -> list[T]:
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=kind))
        except (OSError, msgspec.DecodeError) as error:
            LOG.warning("Filter %s cannot be read and is left out until it is told again: %s", path, error)
    return found


def _write(folder: Path, name: str, what: PortFilter | GroupSpec) -> None:
    with sentences():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = folder / f".{name}.part"
        part.write_bytes(msgspec.json.encode(what))
        part.rename(folder / f"{name}.json")


def _remove(folder: Path, name: str) -> None:
    with sentences():
        (folder / f"{name}.json").unlink(missing_ok=True)
