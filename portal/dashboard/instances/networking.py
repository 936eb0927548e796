"""The network tab of an instance: its cards, its security groups, and the buttons that change them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compute import policies
from compute.models import Server
from compute.network import policies as network_policies
from compute.network.group_selectors import groups_that_shut
from compute.network.models import Port, SecurityGroup
from compute.network.selectors import ports_of
from compute.network.services import plugging
from compute.services import interfaces
from compute.states import VmState
from portal.core.context import RequestContext
from portal.core.policy import allowed
from portal.dashboard.instances.base import InstanceAction
from portal.dashboard.instances.words import predicate_of, resting_word
from portal.dashboard.kit.actions import Offer, Verdict
from portal.dashboard.kit.commands import Commands, curl, openstack
from portal.dashboard.kit.forms import CloudForm
from portal.dashboard.kit.words import Status
from portal.dashboard.networks.choices import attachable, label_of
from portal.dashboard.security_groups.choices import groups_of

TAB = "network"
SSH = 22
_GONE = (VmState.ERROR, VmState.DELETED, VmState.SOFT_DELETED)
_SEEN = (policies.INTERFACES_LIST, policies.SERVER_SECURITY_GROUPS)
_PLUGS = {plugging.ATTACH: gettext_lazy("Attaching"), plugging.DETACH: gettext_lazy("Detaching")}


@dataclass(frozen=True)
class Card:
    """One network card in words."""

    port: Port
    addresses: list[str]
    status: Status


@dataclass(frozen=True)
class NetworkView:
    """What the tab shows; ``groups`` is None for who may not see them, ``offers`` are its buttons by name.

    ``own`` says whether the caller can open the groups' pages.
    """

    cards: list[Card]
    groups: list[SecurityGroup] | None
    offers: dict[str, Offer]
    own: bool


def view_of(ctx: RequestContext, server: Server) -> NetworkView:
    """Return the tab's facts."""
    ports = ports_of(server.pk)
    groups = sorted(_members(ports), key=lambda group: (group.name, group.pk))
    return NetworkView(
        cards=[Card(port, [fixed.address for fixed in port.fixed_addresses.all()], _status(port)) for port in ports],
        groups=groups if allowed(ctx, policies.SERVER_SECURITY_GROUPS, server) else None,
        offers={action.name.replace("-", "_"): action.offer(ctx, server) for action in NETWORK_ACTIONS},
        own=ctx.is_operator or server.project_id == ctx.project_id,
    )


def _status(port: Port) -> Status:
    if port.plug:
        return Status(str(_PLUGS[port.plug]), "loader-2", "busy")
    if port.status == "ACTIVE":
        return Status(_("Connected"), "plug-connected", "good")
    return Status(_("Not connected"), "plug-connected-x", "off")


def ssh_hint(ctx: RequestContext, server: Server) -> str:
    """Return where SSH can be let in when no rule does so from outside of the instance's groups; empty when one does.

    Who may not see the instance's cards and groups is told nothing about them.
    """
    if server.vm_state in _GONE or not all(allowed(ctx, rule, server) for rule in _SEEN):
        return ""
    groups = groups_that_shut(server.pk, SSH)
    if groups is None:
        return ""
    target = {name: server.project_id for name in ("project_id", "tenant_id", "security_group:project_id")}
    if groups and allowed(ctx, network_policies.CREATE_SECURITY_GROUP_RULE, target):
        return f"{reverse('security-groups:new-rule', args=[groups[0]])}?preset=ssh"
    return reverse("instances:tab", args=[server.pk, TAB])


class CardForm(CloudForm):
    """The network of the new card, and perhaps the address on it."""

    network = forms.ChoiceField(label=gettext_lazy("Network"))
    address = forms.GenericIPAddressField(
        label=gettext_lazy("Address"),
        protocol="IPv4",
        required=False,
        help_text=gettext_lazy("Blank: the next free one."),
    )

    def __init__(self, ctx: RequestContext, server: Server, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("network", [(one.pk, label_of(one)) for one in attachable(ctx, server.project_id)])


class PortForm(CloudForm):
    """Which card goes."""

    port = forms.ChoiceField(
        label=gettext_lazy("Interface"), help_text=gettext_lazy("The instance loses the addresses that it has there.")
    )

    def __init__(self, ctx: RequestContext, server: Server, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("port", [(port.pk, _port_label(port)) for port in ports_of(server.pk)])


def _port_label(port: Port) -> str:
    return f"{port.network} – {', '.join(fixed.address for fixed in port.fixed_addresses.all()) or port.mac_address}"


class JoinForm(CloudForm):
    """The project's groups that the instance is not in yet."""

    group = forms.ChoiceField(label=gettext_lazy("Security group"))

    def __init__(self, ctx: RequestContext, server: Server, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = {group.pk for group in _members(ports_of(server.pk))}
        others = [group for group in groups_of(ctx, server.project_id) if group.pk not in held]
        self.offer("group", _named(others))


class LeaveForm(CloudForm):
    """The groups that the instance is in."""

    group = forms.ChoiceField(
        label=gettext_lazy("Security group"), help_text=gettext_lazy("What only its rules let in is shut out at once.")
    )

    def __init__(self, ctx: RequestContext, server: Server, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("group", _named(_members(ports_of(server.pk))))


def _members(ports: Iterable[Port]) -> list[SecurityGroup]:
    """Return the groups of these cards, each once."""
    return list({group.pk: group for port in ports for group in port.security_groups.all()}.values())


def _named(groups: Iterable[SecurityGroup]) -> list[tuple[str, str]]:
    return [(group.pk, group.name) for group in groups]


class _NetworkAction(InstanceAction):
    """Base of the tab's buttons, which all open a form."""

    group = "network"
    asks_first = True
    tab = TAB


class _CardAction(_NetworkAction):
    """Base of the two that change cards: the service names the states, since the state table does not know of cards."""

    def refusal_by_state(self, obj: Server) -> tuple[str, str]:
        if obj.task_state is None and obj.vm_state in interfaces.STATES and obj.host is not None:
            return "", ""
        facts = {"name": obj.name, "status": predicate_of(obj), "label": self.label}
        facts["states"] = ", ".join(resting_word(state) for state in VmState if state in interfaces.STATES)
        return (
            _("%(name)s is %(status)s.") % facts,
            _("%(label)s is for instances in state: %(states)s.") % facts,
        )


class AttachInterface(_CardAction):
    name = "attach-interface"
    label = gettext_lazy("Attach interface")
    short = gettext_lazy("Attach interface to")
    icon = "plus"
    rule = policies.INTERFACES_CREATE
    form = CardForm

    def fill(self, ctx: RequestContext, obj: Server, given: dict[str, Any]) -> None:
        interfaces.attach(ctx=ctx, server=obj, item={"uuid": given["network"], "fixed_ip": given["address"] or None})

    def command(self, obj: Server) -> Commands:
        body = {"interfaceAttachment": {"net_id": "NETWORK_ID"}}
        return Commands(
            openstack("server", "add", "network", obj.pk, "NETWORK"),
            curl("POST", f"/compute/v2.1/servers/{obj.pk}/os-interface", body),
        )


class DetachInterface(_CardAction):
    name = "detach-interface"
    label = gettext_lazy("Detach interface")
    short = gettext_lazy("Detach interface from")
    icon = "plug-connected-x"
    danger = True
    rule = policies.INTERFACES_DELETE
    form = PortForm

    def fill(self, ctx: RequestContext, obj: Server, given: dict[str, Any]) -> None:
        interfaces.detach(ctx=ctx, server=obj, port_id=given["port"])

    def command(self, obj: Server) -> Commands:
        return Commands(
            openstack("server", "remove", "port", obj.pk, "PORT"),
            curl("DELETE", f"/compute/v2.1/servers/{obj.pk}/os-interface/PORT_ID"),
        )


class _GroupAction(_NetworkAction):
    """Base of the two that change security groups: every state and a lock allow it."""

    deed: ClassVar[str]

    def verdict(self, ctx: RequestContext, obj: Server) -> Verdict:
        return self.by_rule(ctx, obj)

    def refusal_by_state(self, obj: Server) -> tuple[str, str]:
        return "", ""

    def command(self, obj: Server) -> Commands:
        return Commands(
            openstack("server", *self.verb, obj.pk, "GROUP"),
            curl("POST", f"/compute/v2.1/servers/{obj.pk}/action", {self.deed: {"name": "GROUP"}}),
        )


class AddGroup(_GroupAction):
    name = "add-group"
    label = gettext_lazy("Add security group")
    short = gettext_lazy("Add security group to")
    icon = "plus"
    rule = policies.SERVER_SECURITY_GROUPS_ADD
    form = JoinForm
    verb = ("add", "security", "group")
    deed = "addSecurityGroup"

    def fill(self, ctx: RequestContext, obj: Server, given: dict[str, Any]) -> None:
        interfaces.add_security_group(ctx=ctx, server=obj, name=given["group"])


class RemoveGroup(_GroupAction):
    name = "remove-group"
    label = gettext_lazy("Remove security group")
    short = gettext_lazy("Remove security group from")
    icon = "x"
    danger = True
    rule = policies.SERVER_SECURITY_GROUPS_REMOVE
    form = LeaveForm
    verb = ("remove", "security", "group")
    deed = "removeSecurityGroup"

    def fill(self, ctx: RequestContext, obj: Server, given: dict[str, Any]) -> None:
        interfaces.remove_security_group(ctx=ctx, server=obj, name=given["group"])


NETWORK_ACTIONS: tuple[InstanceAction, ...] = (AttachInterface(), DetachInterface(), AddGroup(), RemoveGroup())
