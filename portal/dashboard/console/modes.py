"""The ways to look at a machine on its console page: its screen, its serial port, its log."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compute import policies
from compute.models import Server
from portal.core.context import RequestContext
from portal.core.policy import allowed

SCREEN, SERIAL, LOG = "screen", "serial", "log"


@dataclass(frozen=True)
class Mode:
    """One of the switches in the console's bar."""

    name: str
    label: str | Promise
    link: str
    active: bool


def modes(ctx: RequestContext, server: Server, wanted: str, address: str) -> dict[str, Any]:
    """Return the switches of the page at ``address`` and which is on; a word that is none means the screen."""
    every: list[tuple[str, str | Promise]] = [(SCREEN, _("Screen")), (SERIAL, _("Serial"))]
    if allowed(ctx, policies.CONSOLE_OUTPUT, server):
        every.append((LOG, _("Log")))
    mode = wanted if wanted in dict(every) else SCREEN
    return {"mode": mode, "modes": [Mode(name, label, f"{address}?show={name}", name == mode) for name, label in every]}
