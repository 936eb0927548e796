"""Networks: those that instances of the project can be on, with how many addresses are free, and a form for one more."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from compute.network import policies
from compute.network.models import Network
from compute.network.services import declared_networks
from compute.network.usage_selectors import get_network_in_reach
from portal.core.context import RequestContext
from portal.dashboard.kit.actions import CommandView, DialogActionView, RowAction, Verdict, WhyView, verdict_of
from portal.dashboard.kit.commands import Commands, curl, openstack, terraform
from portal.dashboard.kit.pages import PageResponse, PageView, done, panel
from portal.dashboard.networks.forms import NetworkForm
from portal.dashboard.networks.tables import BY_NAME, NETWORKS_PATH, NetworkTable


def creation(ctx: RequestContext) -> Verdict:
    """Return whether the caller may make networks here."""
    return verdict_of(ctx, policies.CREATE_NETWORK, Network(project_id=ctx.project_id or ""))


class ListView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        facts = {"table": NetworkTable(self.ctx, request.GET), "create": creation(self.ctx)}
        return render(request, "networks/list.html", facts)


class WhyNewView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        return panel(request, "kit/why_verdict.html", {"what": _("Create network"), "verdict": creation(self.ctx)})


class NewView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        return self.show(request, NetworkForm(self.ctx))

    def post(self, request: HttpRequest) -> PageResponse:
        form = NetworkForm(self.ctx, request.POST)
        made = form.submit(lambda: self.make(form)) if form.is_valid() else None
        if made is None:
            return self.show(request, form, 400)
        return done(request, _("The network %(name)s is made.") % {"name": made}, reverse("networks:list"))

    def make(self, form: NetworkForm) -> Network:
        return declared_networks.create(ctx=self.ctx, values=form.values(), cidr=form.cleaned_data["cidr"].strip())

    def show(self, request: HttpRequest, form: NetworkForm, status: int = 200) -> HttpResponse:
        name, cidr = str(form["name"].value() or "backend"), str(form["cidr"].value() or "192.168.50.0/24")
        return panel(request, "networks/new.html", {"form": form, "commands": commands(name, cidr)}, status)


def commands(name: str, cidr: str) -> Commands:
    """Return the ways to make a network with a range; the second step names the network that the first made."""
    steps = (
        openstack("network", "create", name),
        openstack("subnet", "create", f"{name}-subnet", "--network", name, "--subnet-range", cidr),
    )
    subnet = {"subnet": {"network_id": "NETWORK_ID", "ip_version": 4, "cidr": cidr}}
    calls = curl("POST", NETWORKS_PATH, {"network": {"name": name}}), curl("POST", "/network/v2.0/subnets", subnet)
    return Commands("\n".join(steps), "\n".join(calls), terraform("openstack_networking_network_v2", name, name=name))


class NetworkActions:
    actions: dict[str, RowAction] = BY_NAME

    def find(self, pk: Any) -> Network:
        return get_network_in_reach(self.ctx, str(pk))  # type: ignore[attr-defined]


class NetworkActionView(NetworkActions, DialogActionView):
    def template(self, action: RowAction) -> str:
        return "networks/delete.html"


class NetworkWhyView(NetworkActions, WhyView):
    pass


class NetworkCommandView(NetworkActions, CommandView):
    pass
