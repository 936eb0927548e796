"""The start page of a project: trouble first, numbers second, history third."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from compute.models import ServerAction
from compute.selectors import list_keypairs, servers_visible
from compute.states import VmState
from images.selectors import images_visible
from portal.core.context import RequestContext
from portal.dashboard.instances.facts import facts_of
from portal.dashboard.instances.launch import Size, launch_verdict, sizes
from portal.dashboard.instances.words import resting_word
from portal.dashboard.kit.pages import PageResponse, PageView
from portal.dashboard.kit.quota import meters

MOST_TROUBLE = 5
MOST_ACTIVITY = 8


def home(request: HttpRequest) -> HttpResponse:
    """The bare address leads to the overview."""
    return redirect("overview:list")


@dataclass(frozen=True)
class Step:
    """One of the first steps of a new project."""

    label: str
    done: bool
    url: str
    verb: str


@dataclass(frozen=True)
class StateCount:
    """How many instances are in a state, and where they are listed."""

    word: str
    number: int
    link: str


class OverviewView(PageView):
    template = "overview/page.html"

    def get(self, request: HttpRequest) -> PageResponse:
        return render(request, self.template, overview(self.ctx))


class LiveView(OverviewView):
    template = "overview/parts.html"


def overview(ctx: RequestContext) -> dict[str, Any]:
    """Return the facts of the page."""
    mine = servers_visible(ctx)
    per_state = dict(mine.order_by().values_list("vm_state").annotate(number=Count("pk")))
    broken = list(mine.filter(vm_state=VmState.ERROR).order_by("-updated_at")[:MOST_TROUBLE])
    faults = facts_of(broken)
    total = sum(per_state.values())
    return {
        "launch": launch_verdict(ctx),
        "meters": meters(ctx),
        "trouble": [(server, faults[server.pk].fault) for server in broken],
        "more_trouble": max(0, per_state.get(VmState.ERROR, 0) - MOST_TROUBLE),
        "counts": _counts(per_state),
        "total": total,
        "steps": [] if total else _steps(ctx),
        "next_sizes": _largest(sizes(ctx, None)),
        "activity": list(
            ServerAction.objects.filter(server__in=mine)
            .select_related("server")
            .order_by("-started_at", "-pk")[:MOST_ACTIVITY]
        ),
    }


def _counts(per_state: dict[str, int]) -> list[StateCount]:
    link = reverse("instances:list")
    shown = (
        (VmState.ACTIVE, "running"),
        (VmState.STOPPED, "stopped"),
        (VmState.BUILDING, "building"),
        (VmState.ERROR, "error"),
    )
    return [
        StateCount(
            _("Building") if state == VmState.BUILDING else resting_word(state),
            per_state.get(state, 0),
            f"{link}?q=status:{word}",
        )
        for state, word in shown
    ]


def _steps(ctx: RequestContext) -> list[Step]:
    """Return key, image, instance, each with whether it is done."""
    return [
        Step(_("A key to sign in with"), bool(list(list_keypairs(ctx)[:1])), reverse("keys:list"), _("Make key")),
        Step(_("An image to start from"), images_visible(ctx).exists(), reverse("images:new"), _("Create image")),
        Step(_("Your first instance"), False, reverse("instances:new"), _("Launch instance")),
    ]


def _largest(choices: list[Size]) -> list[Size]:
    """Return the three largest sizes that still fit, and after them the first that does not."""
    fitting = [size for size in choices if not size.reason][-3:]
    return fitting + [size for size in choices if size.reason][:1]
