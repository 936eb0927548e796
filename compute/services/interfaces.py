"""Network cards of a server that is there already: plugged in, taken out, given addresses and security groups."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from compute import notify, policies
from compute.models import Server
from compute.network.models import Port
from compute.network.services import hosts, plugging
from compute.network.services import ports as network_ports
from compute.port_messages import FiltersWanted, InterfaceChanged
from compute.services import actions, operations
from compute.services.findings import Finding
from compute.states import OtherAction, TaskState, VmState
from compute.virt.driver import PLAIN, Wishes
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import authorize

LOG = logging.getLogger(__name__)

ATTACH, DETACH = OtherAction.ATTACH_INTERFACE, OtherAction.DETACH_INTERFACE
STATES = frozenset({VmState.ACTIVE, VmState.PAUSED, VmState.STOPPED})
ASK_AGAIN_S = 20
_LEAVING = (TaskState.DELETING, TaskState.SHELVING_OFFLOADING)
_DEEDS = {plugging.ATTACH: ATTACH, plugging.DETACH: DETACH}


@transaction.atomic
def attach(*, ctx: RequestContext, server: Server, item: dict[str, Any]) -> Port:
    """Return the port of a new card; it carries traffic once its host said so.

    ``item`` names a ``port``, or a network (``uuid``) and perhaps a ``fixed_ip`` on it, or nothing: then it is the one network
    that the project can use. ``tag`` is a word for the guest.
    """
    authorize(ctx, policies.INTERFACES_CREATE, server)
    host = _let_in(ctx, server, ATTACH)
    port = plugging.attach(
        ctx=ctx, project_id=server.project_id, device_id=server.pk, host=host, item=item, wishes=_wishes(server)
    )
    actions.begin(ctx, server, ATTACH)
    notify.server_changed(server)
    return port


@transaction.atomic
def detach(*, ctx: RequestContext, server: Server, port_id: str) -> None:
    """Have a card taken out of the server; its port is gone, or free again, once the host said so."""
    authorize(ctx, policies.INTERFACES_DELETE, server)
    _let_in(ctx, server, DETACH)
    port = Port.objects.filter(pk=port_id, device_id=server.pk).first()
    if port is None:
        raise NotFound("Port", port_id, _("Port id %(port)s could not be found.") % {"port": port_id})
    if port.plug != plugging.DETACH:
        plugging.detach(ctx=ctx, port=port)
        actions.begin(ctx, server, DETACH)
        notify.server_changed(server)


@transaction.atomic
def add_fixed_ip(*, ctx: RequestContext, server: Server, network_id: str) -> None:
    """Give the server one more address on a network where it has a card."""
    authorize(ctx, policies.MULTINIC_ADD, server)
    _let_in(ctx, server, "addFixedIp")
    plugging.add_address(device_id=server.pk, network_id=network_id)
    notify.server_changed(server)


@transaction.atomic
def remove_fixed_ip(*, ctx: RequestContext, server: Server, address: str) -> None:
    """Take an address from the server."""
    authorize(ctx, policies.MULTINIC_REMOVE, server)
    _let_in(ctx, server, "removeFixedIp")
    plugging.remove_address(device_id=server.pk, address=address)
    notify.server_changed(server)


@transaction.atomic
def add_security_group(*, ctx: RequestContext, server: Server, name: str) -> None:
    """Put all ports of the server into a group of its project, named by its name or id."""
    authorize(ctx, policies.SERVER_SECURITY_GROUPS_ADD, server)
    network_ports.join_group(server.project_id, server.pk, name)
    notify.server_changed(server)


@transaction.atomic
def remove_security_group(*, ctx: RequestContext, server: Server, name: str) -> None:
    """Take all ports of the server out of a group."""
    authorize(ctx, policies.SERVER_SECURITY_GROUPS_REMOVE, server)
    network_ports.leave_group(server.project_id, server.pk, name)
    notify.server_changed(server)


@transaction.atomic
def interface_changed(report: InterfaceChanged) -> None:
    """Take over what a host made of a card."""
    device_id = plugging.settle(
        port_id=report.port_id, request_id=report.request_id, attached=report.attached, fault=report.fault
    )
    server = Server.objects.present().filter(pk=report.server_id, host=report.host).first()
    if server is None or device_id != server.pk:
        LOG.info("Host %s told of port %s, for which nobody waits.", report.host, report.port_id)
        return
    _close(server, report.request_id, ATTACH if report.attached else DETACH, report.fault)


def guest_gone(server: Server) -> None:
    """End what was under way with the cards of a server that was taken from its host."""
    for plug, request_id in plugging.settle_all(server.pk):
        _close(server, request_id, _DEEDS[plug], None)


def filters_wanted(report: FiltersWanted) -> None:
    """Tell a host that came up how to filter its ports."""
    with transaction.atomic():
        leaving = Server.objects.filter(host=report.host, task_state__in=_LEAVING).values_list("pk", flat=True)
        hosts.refresh_host(report.host, leaving=list(leaving))


def unanswered() -> Iterator[Finding]:
    """Yield the cards of which hosts did not tell what became of them: they are asked again, and what takes too long is ended."""
    now = timezone.now()
    limit = timedelta(seconds=settings.OPERATION_TIMEOUTS_S["power"])
    for port in plugging.waiting(now - timedelta(seconds=ASK_AGAIN_S)):
        what = f"port {port.pk} of instance {port.device_id} waits for its host"
        if port.plug_at is not None and now - port.plug_at > limit:
            end = partial(_expire, port, int(limit.total_seconds()))
            yield Finding(what, "that is ended", end, port.request_id, port.device_id)
        elif cache.get(_asked_key(port)) is None:
            ask = partial(_ask_again, port)
            yield Finding(what, "the host is asked again", ask, port.request_id, port.device_id)


def _ask_again(port: Port) -> None:
    if cache.add(_asked_key(port), 1, ASK_AGAIN_S * 3):
        server = Server.objects.present().filter(pk=port.device_id).first()
        plugging.ask_again(port, PLAIN if server is None else _wishes(server))


def _asked_key(port: Port) -> str:
    return f"compute:replugged:{port.pk}:{port.request_id}"


def _wishes(server: Server) -> Wishes:
    """Return what the kind of the server's cards follows from."""
    return Wishes(server.vcpus, server.extra_specs, server.image_properties)


@transaction.atomic
def _expire(port: Port, limit_s: int) -> None:
    """End an attachment of which nothing was heard: the card is taken out again. A card that did not come out stays."""
    deed = _DEEDS[port.plug]
    server = Server.objects.present().filter(pk=port.device_id).first()
    if port.plug == plugging.ATTACH:
        hosts.unplug(port)
    plugging.settle(port_id=port.pk, request_id=port.request_id, attached=port.plug == plugging.ATTACH, fault="too late")
    if server is not None:
        _close(server, port.request_id, deed, f"The host did not answer within {limit_s} seconds ({deed}).")


def _close(server: Server, request_id: str, deed: str, fault: str | None) -> None:
    if fault is not None:
        LOG.warning("Instance %s: %s failed: %s", server.pk, deed, fault)
    actions.finish(server, request_id, deed, fault)
    notify.server_changed(server)


def _let_in(ctx: RequestContext, server: Server, deed: str) -> str:
    """Return the server's host; raises Conflict when no card can be changed now."""
    operations.refuse_locked(ctx, server)
    fresh = Server.objects.present().select_for_update().filter(pk=server.pk).first()
    if fresh is None:
        raise NotFound("Instance", server.pk)
    if fresh.task_state:
        raise operations.cannot(fresh, deed, "task_state")
    if fresh.vm_state not in STATES or fresh.host is None:
        raise operations.cannot(fresh, deed, "vm_state")
    return fresh.host
