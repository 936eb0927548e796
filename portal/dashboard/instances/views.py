"""The pages of instances: list, launch, detail, actions."""

import base64
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from compute.models import Server
from compute.selectors import get_server
from compute.services import lifecycle
from compute.services.consoles import output
from portal.core.errors import BadRequest
from portal.dashboard.console.modes import modes
from portal.dashboard.instances import launch
from portal.dashboard.instances.actions import BY_NAME
from portal.dashboard.instances.base import InstanceAction
from portal.dashboard.instances.detail import detail
from portal.dashboard.instances.facts import facts_of
from portal.dashboard.instances.forms import LaunchForm
from portal.dashboard.instances.tables import InstanceTable
from portal.dashboard.kit.actions import ActionView, CommandView, RowAction, WhyView
from portal.dashboard.kit.forms import SeveralField
from portal.dashboard.kit.pages import PageResponse, PageView, done, panel


@dataclass(frozen=True)
class Chip:
    """A ready-made filter above the list."""

    label: str
    query: str
    active: bool
    link: str


class ListView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        table = InstanceTable(self.ctx, request.GET)
        facts = {"table": table, "chips": self.chips(table), "launch": launch.launch_verdict(self.ctx)}
        if not table.page.paginator.count and not table.query:
            values = {"name": "web-01", "count": 1, "networks": [], "groups": [], "key_name": "", "user_data": ""}
            facts["sample"] = launch.commands(values, None, None)
        return render(request, "instances/list.html", facts)

    def chips(self, table: InstanceTable) -> list[Chip]:
        every = (
            ("", _("All")),
            ("status:running", _("Running")),
            ("status:stopped", _("Stopped")),
            ("status:error", _("Error")),
        )
        return [Chip(str(label), query, table.query == query, table.link(q=query)) for query, label in every]


class RowsView(PageView):
    """The feed's fetch: rows by id."""

    def get(self, request: HttpRequest) -> PageResponse:
        return InstanceTable(self.ctx, request.GET).answer(request)


class LaunchView(PageView):
    """The launch form. Every field can stand in the address, so a filled form can be sent as a link."""

    def get(self, request: HttpRequest) -> PageResponse:
        known: dict[str, Any] = {
            name: request.GET.getlist(name) if isinstance(field, SeveralField) else request.GET[name]
            for name, field in LaunchForm.base_fields.items()
            if name in request.GET
        }
        return self.show(request, LaunchForm(self.ctx, initial=known))

    def post(self, request: HttpRequest) -> PageResponse:
        form = LaunchForm(self.ctx, request.POST)
        servers = form.submit(lambda: self.create(form)) if form.is_valid() else None
        if servers is None:
            return self.show(request, form, 400)
        if len(servers) == 1:
            url = reverse("instances:detail", args=[servers[0].pk])
        else:
            url = f"{reverse('instances:list')}?q=name:{form.cleaned_data['name']}"
        said = ngettext("%(n)d instance is being built.", "%(n)d instances are being built.", len(servers))
        return done(request, said % {"n": len(servers)}, url)

    def create(self, form: LaunchForm) -> list[Server]:
        given = form.cleaned_data
        script = given["user_data"].replace("\r\n", "\n")
        return lifecycle.create(
            ctx=self.ctx,
            name=given["name"],
            image_id=given["image"],
            flavor_id=given["flavor"],
            networks=[{"uuid": network} for network in given["network"]] or None,
            security_groups=given["security_group"],
            key_name=given["key_name"] or None,
            user_data=base64.b64encode(script.encode()).decode() if script else None,
            count=given["count"],
        )

    def show(self, request: HttpRequest, form: LaunchForm, status: int = 200) -> HttpResponse:
        return render(request, "instances/launch.html", _launch_facts(form), status=status)


class PreviewView(PageView):
    """The summary beside the form, for what stands in it now; with the sizes when the image changed."""

    def post(self, request: HttpRequest) -> PageResponse:
        facts = _launch_facts(LaunchForm(self.ctx, request.POST))
        facts["with_sizes"] = request.headers.get("HX-Trigger-Name") == "image"
        return render(request, "instances/launch_preview.html", facts)


def _launch_facts(form: LaunchForm) -> dict[str, Any]:
    image, flavor = form.chosen_image(), form.chosen_flavor()
    return {
        "form": form,
        "verdict": launch.launch_verdict(form.ctx),
        "sizes": form.sizes,
        "chosen_flavor": flavor,
        "summary": launch.summary(form.ctx, form.values(), image, flavor),
        "most": launch.MOST_AT_ONCE,
    }


class WhyLaunchView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        facts = {"what": _("Launch instance"), "verdict": launch.launch_verdict(self.ctx)}
        return panel(request, "kit/why_verdict.html", facts)


class DetailView(PageView):
    """One instance. The tabs are addresses; while it is being built, the overview is the build view."""

    def get(self, request: HttpRequest, pk: Any, tab: str = "overview") -> PageResponse:
        server = get_server(self.ctx, str(pk))
        facts = detail(self.ctx, server, tab, request.GET.get("definition", ""))
        if tab == "screen":
            facts |= modes(self.ctx, server, request.GET.get("show", ""), request.path)
        return render(request, "instances/detail.html", facts)


class LiveView(PageView):
    """The feed's fetch of a detail page: its head and the tab that is open."""

    def get(self, request: HttpRequest, pk: Any, tab: str) -> PageResponse:
        facts = detail(self.ctx, get_server(self.ctx, str(pk)), tab)
        answer = render(request, "instances/live.html", facts)
        answer["Cache-Control"] = "no-store"
        answer["X-View"] = facts["view"]
        return answer


class LogTextView(PageView):
    """The whole boot log as a file."""

    def get(self, request: HttpRequest, pk: Any) -> PageResponse:
        server = get_server(self.ctx, str(pk))
        answer = HttpResponse(output(ctx=self.ctx, server=server), content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{server.pk}.log"'
        return answer


class InstanceActions:
    """Which buttons, how an instance is found, and what is shown after a deed."""

    actions: dict[str, RowAction] = dict(BY_NAME)

    def find(self, pk: Any) -> Server:
        return get_server(self.ctx, str(pk))  # type: ignore[attr-defined]


_DIALOGS = {
    "delete": "instances/delete.html",
    "force-delete": "instances/delete.html",
    "shelve": "instances/shelve.html",
    "crash-dump": "instances/crash_dump.html",
    "revert-resize": "instances/revert_resize.html",
}


class InstanceActionView(InstanceActions, ActionView):
    def run(self, request: HttpRequest, action: RowAction, obj: Server) -> None:
        """Do it; what is missing in an action's form is a refusal like a service's."""
        if not isinstance(action, InstanceAction) or action.form is None:
            super().run(request, action, obj)
            return
        form = action.form(self.ctx, obj, request.POST)
        if not form.is_valid():
            raise BadRequest(form.all_faults())
        action.fill(self.ctx, obj, form.cleaned_data)

    def show(self, request: HttpRequest, obj: Server, said: str) -> HttpResponse:
        if request.POST.get("from") == "head":
            facts = detail(self.ctx, obj, "overview")
            return render(request, "instances/head.html", {**facts, "note": said})
        table = InstanceTable(self.ctx, request.GET)
        row = table.dressed([obj], {obj.pk: said})[0]
        return HttpResponse(table.render_row(row, request))

    def template(self, action: RowAction) -> str:
        if isinstance(action, InstanceAction) and action.form is not None:
            return "instances/filled.html"
        return _DIALOGS.get(action.name, "kit/confirm.html")

    def facts(self, action: RowAction, obj: Server) -> dict[str, Any]:
        facts = {"facts": facts_of([obj])[obj.pk], "back": reverse("instances:detail", args=[obj.pk])}
        facts["rests"] = lifecycle.rests(obj)
        if isinstance(action, InstanceAction) and action.form is not None:
            facts["form"] = action.form(self.ctx, obj, initial={**self.request.GET.dict(), **self.request.POST.dict()})
        return facts

    def back(self, request: HttpRequest, obj: Server, action: RowAction) -> str:
        if action.name == "delete":
            return reverse("instances:list")
        if isinstance(action, InstanceAction) and action.tab:
            return reverse("instances:tab", args=[obj.pk, action.tab])
        return reverse("instances:detail", args=[obj.pk])


class InstanceWhyView(InstanceActions, WhyView):
    pass


class InstanceCommandView(InstanceActions, CommandView):
    pass
