"""Words and figures as people read them: refusals, sizes, ages."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.core.errors import CloudError, Forbidden, QuotaExceeded


@dataclass(frozen=True)
class Status:
    """A word, a shape and a tone, so that colour is never alone."""

    word: str
    shape: str
    tone: str


def sentence(error: CloudError) -> str:
    """Return what a refusal says to a person."""
    if isinstance(error, QuotaExceeded):
        return _(error.message)
    if isinstance(error, Forbidden) and error.reason:
        return error.reason
    return _(error.message)


def size(count: int | None, unit: int = 1) -> str:
    """Return a number of bytes (or of ``unit`` bytes) in the largest fitting unit: 1.5 GB."""
    if count is None:
        return "–"
    value = float(count * unit)
    names = ("B", "KB", "MB", "GB", "TB")
    step = 0
    while value >= 1000 and step < len(names) - 1:
        value /= 1024
        step += 1
    text = f"{value:.1f}".removesuffix(".0") if step > 1 else f"{value:.0f}"
    return f"{text} {names[step]}"


def ram(mb: int | None) -> str:
    """Return memory given in MB."""
    return size(mb, 1024 * 1024)


def disk(gb: int | None) -> str:
    """Return disk given in GB."""
    return size(gb, 1024**3)


def root_disk(gb: int | None) -> str:
    """Return the size of a server's own disk; none given means as large as its image."""
    return _("image's size") if gb == 0 else disk(gb)


def age(then: datetime | None) -> str:
    """Return how long ago something was: one unit, as in "3 h"."""
    if then is None:
        return ""
    return span(timezone.now() - then)


def span(length: timedelta) -> str:
    """Return a length of time in its largest unit."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return _("%(n)d s") % {"n": seconds}
    if seconds < 3600:
        return _("%(n)d min") % {"n": seconds // 60}
    if seconds < 86400:
        return _("%(n)d h") % {"n": seconds // 3600}
    days = seconds // 86400
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def took(start: datetime | None, end: datetime | None) -> str:
    """Return the time between two moments, with a decimal while it is short."""
    if start is None or end is None:
        return ""
    seconds = max(0.0, (end - start).total_seconds())
    if seconds < 10:
        return _("%(n)s s") % {"n": f"{seconds:.1f}"}
    return span(end - start)


BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"))


def browser(agent: str) -> str:
    """Return which browser on which system calls itself so."""
    name = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in (*SYSTEMS, ("Linux", "Linux")) if mark in agent), "")
    return ", ".join(part for part in (name, system) if part) or agent[:40] or _("unknown")
