"""What two definitions of one guest differ in, for people: what libvirt numbers anew at each start is left out."""

import difflib
import re
from dataclasses import dataclass

from compute.virt.libvirt.markup import Element, Malformed, read, render

_NUMBERED = re.compile(r"domain-\d+-")
# Where libvirt put a thing this time (libvirt: formatdomain.html#consoles-serial-parallel-channel-devices, #graphical-framebuffers).
_PLACES = {"serial": "tty", "console": "tty", "graphics": "socket", "listen": "socket"}
_CONTEXT_LINES = 2


@dataclass(frozen=True)
class Line:
    """One line of a comparison; ``sign`` is ``+``, ``-``, a blank, or ``@`` where lines were left out."""

    sign: str
    text: str


def between(old: str, new: str) -> list[Line]:
    """Return the lines that differ, with some around them; nothing when both say the same."""
    lines = difflib.unified_diff(steady(old).splitlines(), steady(new).splitlines(), n=_CONTEXT_LINES, lineterm="")
    return [Line(line[0], "" if line[0] == "@" else line[1:]) for line in list(lines)[2:]]


def steady(definition: str) -> str:
    """Return the definition without what is different at each start; text that is no XML is returned as it is."""
    try:
        root = read(definition)
    except Malformed:
        return definition
    root.attrib.pop("id", "")
    for label in root.findall("seclabel"):
        root.remove(label)
    for element in root.iter():
        _settle(element)
    return render(root)


def _settle(element: Element) -> None:
    place = _PLACES.get(str(element.tag))
    if place:
        element.attrib.pop(place, "")
    path = element.get("path", "")
    if path.startswith("/dev/pts/"):
        element.attrib.pop("path")
    elif path:
        element.set("path", _NUMBERED.sub("domain-", path))
