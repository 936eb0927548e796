"""What the detail page of an instance shows, tab by tab."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compute import policies
from compute.models import Server, ServerAction
from compute.selectors import actions_of
from compute.states import Action, TaskState, VmState
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import allowed
from portal.dashboard.access.kinds import KINDS
from portal.dashboard.access.views import access_facts
from portal.dashboard.instances.actions import BUTTONS
from portal.dashboard.instances.definitions import view_of
from portal.dashboard.instances.facts import build_stages, facts_of
from portal.dashboard.instances.networking import TAB, ssh_hint
from portal.dashboard.instances.networking import view_of as network_of
from portal.dashboard.instances.placement import next_step, picture_of
from portal.dashboard.kit.actions import offers

BOOT_WATCH = timedelta(minutes=3)
_REMAKES = frozenset({Action.REBUILD, Action.UNSHELVE})


@dataclass(frozen=True)
class Tab:
    """One tab of the page."""

    name: str
    label: str | Promise
    url: str
    active: bool


def detail(ctx: RequestContext, server: Server, tab: str, definition: str = "") -> dict[str, Any]:
    """Return the facts of the detail page for one tab; raises NotFound for a tab that is not the caller's.

    ``definition`` chooses one of the stored definitions.
    """
    tabs = _tabs(ctx, server, tab)
    if not any(item.active for item in tabs):
        raise NotFound("Tab", tab)
    picture = picture_of(server, with_names=ctx.is_operator)
    building = server.vm_state == VmState.BUILDING
    facts: dict[str, Any] = {
        "server": server,
        "facts": facts_of([server])[server.pk],
        "picture": picture,
        "next_step": next_step(server, picture) if server.vm_state == VmState.ERROR else "",
        "offers": offers(ctx, server, BUTTONS),
        "tabs": tabs,
        "tab": tab,
        "building": building,
        "ssh_user": "",
        "is_operator": ctx.is_operator,
    }
    if tab == "timeline":
        facts["timeline"] = actions_of(ctx, server)
    elif tab == "definition":
        facts["definition"] = view_of(ctx, server, definition)
    elif tab == "access":
        facts["access"] = access_facts(ctx, KINDS["instance"], server)
    elif tab == TAB:
        facts |= {"network": network_of(ctx, server), "ssh_hint": ssh_hint(ctx, server)}
    elif tab == "overview":
        facts["ssh_hint"] = ssh_hint(ctx, server)
        build = _last_build(actions_of(ctx, server))
        failed_build = server.vm_state == VmState.ERROR and server.launched_at is None
        facts["booting"] = _is_booting(server)
        facts["stages"] = build_stages(server, build) if building or failed_build or facts["booting"] else []
        facts["build_begun_at"] = build.started_at if build else server.created_at
    facts["view"] = f"{tab}-stages" if facts.get("stages") else tab
    return facts


def _last_build(log: list[ServerAction]) -> ServerAction | None:
    """Return the action that made the disk as it is now: the creation, or what was done since and did not fail."""
    for item in log:
        if item.action == Action.CREATE or (item.action in _REMAKES and item.finished_at and not item.message):
            return item
    return None


def _is_booting(server: Server) -> bool:
    """Whether the server started so lately that people want to watch it boot."""
    return (
        server.vm_state == VmState.ACTIVE
        and server.task_state != TaskState.REBUILDING
        and server.launched_at is not None
        and timezone.now() - server.launched_at < BOOT_WATCH
    )


def _tabs(ctx: RequestContext, server: Server, chosen: str) -> list[Tab]:
    every: list[tuple[str, str | Promise]] = [("overview", _("Overview"))]
    if allowed(ctx, policies.REMOTE_CONSOLES, server):
        every.append(("screen", _("Console")))
    if allowed(ctx, policies.CONSOLE_OUTPUT, server):
        every.append(("log", _("Log")))
    if allowed(ctx, policies.INTERFACES_LIST, server):
        every.append((TAB, _("Network")))
    every += [("timeline", _("Timeline")), ("access", _("Access"))]
    if allowed(ctx, policies.EXTENDED_ATTRIBUTES, server):
        every.append(("definition", _("Definition")))
    return [Tab(name, label, _address(server, name), name == chosen) for name, label in every]


def _address(server: Server, name: str) -> str:
    if name == "overview":
        return reverse("instances:detail", args=[server.pk])
    return reverse("instances:tab", args=[server.pk, name])
