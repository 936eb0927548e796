"""Whether the state folder was moved away from under its guests, whose definitions and disks name files by whole paths."""

from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from xml.etree import ElementTree

from deploy.launcher.errors import LauncherError

_FILES = ("./devices//source[@file]", "./devices//log[@file]")
_TEXTS = ("./os/kernel", "./os/initrd")


def former_place(instances: Path) -> Path | None:
    """Return where the guests' folders were when their guests were made, if they are found there no more.

    A link that leads from the former place to this one makes them right.
    """
    for definition in sorted(instances.glob("*/domain.xml")):
        for place in _places(definition):
            if not _same(place, instances):
                return place
    return None


def moved_guests(instances: Path) -> str | None:
    """Return why guests of this host could not be started, or None."""
    place = former_place(instances)
    if place is None:
        return None
    return (
        f"The state folder was moved: its servers' definitions and disks name files in {place}, and it is in {instances} now."
    )


def check_place(state_dir: Path) -> None:
    """LauncherError when the state folder was moved away from under its guests."""
    instances = state_dir / "instances"
    place = former_place(instances)
    if place is not None:
        raise LauncherError(
            f"{moved_guests(instances)} Move it back, or let a link lead from there to here.",
            f"mkdir -p {quote(str(place.parent.parent))} && ln -sT {quote(str(state_dir))} {quote(str(place.parent))}",
        )


def _places(definition: Path) -> Iterator[Path]:
    """Yield what is before a guest's own folder in the first file of it that its definition names; nothing where it cannot be read.

    Only what names files is looked at: names, descriptions and the kernel's command line are what people wrote.
    """
    try:
        root = ElementTree.parse(definition).getroot()  # noqa: S314 - written by us
    except (OSError, ElementTree.ParseError, ValueError):
        return
    named = [found.get("file", "") for where in _FILES for found in root.iterfind(where)]
    named += [found.text or "" for where in _TEXTS for found in root.iterfind(where)]
    own = f"/{definition.parent.name}/"
    for name in named:
        before, found, _rest = name.partition(own)
        if found and before.startswith("/"):
            yield Path(before)
            return


def _same(place: Path, instances: Path) -> bool:
    try:
        return place.samefile(instances)
    except OSError:
        return False
