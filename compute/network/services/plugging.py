"""Cards that are plugged into a device which is there already, and taken out of it: the rows, step by step.

``plug`` of a port says what its host was asked for: a report that carries the same ``request_id`` ends it.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from compute.network.models import FixedAddress, Network, Port, SecurityGroup
from compute.network.services import addressing, hosts, ports
from compute.virt.driver import PLAIN, Wishes
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, NotFound

ATTACH, DETACH = "attach", "detach"


@transaction.atomic
def attach(
    *, ctx: RequestContext, project_id: str, device_id: str, host: str, item: dict[str, Any], wishes: Wishes = PLAIN
) -> Port:
    """Return a port that is being plugged into a device: the one that ``item`` names, or a new one on its network.

    ``item`` may have ``port``, ``uuid`` (of a network), ``fixed_ip`` and ``tag``. The card is of the kind that follows from ``wishes``.
    """
    _refuse_unknown(ctx, project_id, item)
    if not item.get("port") and not item.get("uuid"):
        item = {**item, "uuid": _only_network(project_id)}
    last = Port.objects.filter(device_id=device_id).aggregate(last=Max("position"))["last"]
    (port,) = ports.allocate(
        ctx=ctx, project_id=project_id, device_id=device_id, networks=[item], host=host, first=0 if last is None else last + 1
    )
    _ask(port, ATTACH, ctx.request_id)
    hosts.refresh(ports=[], groups=port.security_groups.all(), but=host)
    hosts.replug(port, wishes)
    return port


@transaction.atomic
def detach(*, ctx: RequestContext, port: Port) -> None:
    """Have a port's host take the card out; asking again changes nothing."""
    port = Port.objects.select_for_update().get(pk=port.pk)
    if port.plug == DETACH:
        return
    if port.plug == ATTACH:
        raise Conflict(_("Port %(port)s is still being attached.") % {"port": port.pk})
    _ask(port, DETACH, ctx.request_id)
    hosts.unplug(port)


@transaction.atomic
def settle(*, port_id: str, request_id: str, attached: bool, fault: str | None) -> str | None:
    """End what a port's host was asked for. Return the device, or None when nobody waits for this any more."""
    port = Port.objects.select_for_update().filter(pk=port_id, request_id=request_id).first()
    if port is None or port.plug != (ATTACH if attached else DETACH):
        return None
    device_id = port.device_id
    if attached == (fault is None):
        port.plug, port.status = "", "ACTIVE"
        port.save(update_fields=["plug", "status", "updated_at"])
    else:
        give_up(port)
    return device_id


@transaction.atomic
def settle_all(device_id: str) -> list[tuple[str, str]]:
    """End what was asked for the cards of a device whose guest is gone; return what and by which request.

    A card that was to come will come with the next guest, one that was to go is gone.
    """
    rows = list(Port.objects.select_for_update().filter(device_id=device_id).exclude(plug=""))
    ended = [(port.plug, port.request_id) for port in rows]
    for port in rows:
        if port.plug == DETACH:
            give_up(port)
        else:
            port.plug = ""
            port.save(update_fields=["plug", "updated_at"])
    return ended


def give_up(port: Port) -> None:
    """Take a port from its device: one that people made stays, without it."""
    members = list(SecurityGroup.objects.filter(ports=port))
    if port.preserve_on_delete:
        Port.objects.filter(pk=port.pk).update(device_id="", device_owner="", host="", status="DOWN", plug="", tag=None)
    else:
        port.delete()
    hosts.refresh(ports=[], groups=members)


def waiting(before: datetime) -> list[Port]:
    """Return ports whose hosts were asked before this time and have not answered."""
    return list(_plugging().filter(plug_at__lt=before).select_related("network").order_by("plug_at")[:100])


def begin_times_anew() -> None:
    """Count what hosts were asked as asked now: the clock was set."""
    _plugging().update(plug_at=timezone.now())


def _plugging() -> QuerySet[Port]:
    """Return the ports of which a host was asked something; what is greater is found by the index, what is unequal is not."""
    return Port.objects.filter(plug__gt="")


@transaction.atomic
def ask_again(port: Port, wishes: Wishes = PLAIN) -> None:
    """Send a host once more what it was asked; every command is harmless the second time."""
    if port.plug == ATTACH:
        hosts.replug(port, wishes)
    else:
        hosts.unplug(port)


@transaction.atomic
def add_address(*, device_id: str, network_id: str) -> FixedAddress:
    """Give a device's first port on a network one more address."""
    port = Port.objects.filter(device_id=device_id, network=network_id).select_related("network").first()
    if port is None:
        raise NotFound(
            "Network", network_id, _("Network %(network)s is not a network of the instance.") % {"network": network_id}
        )
    subnet = port.network.subnets.filter(ip_version=4).first()
    if subnet is None:
        raise BadRequest(_("No fixed IP addresses available for network: %(network)s") % {"network": network_id})
    try:
        found = addressing.assign(port, subnet)
    except Conflict as error:
        raise BadRequest(error.message) from error
    _addresses_changed(port)
    return found


@transaction.atomic
def remove_address(*, device_id: str, address: str) -> None:
    """Take an address from a device."""
    held = FixedAddress.objects.filter(port__device_id=device_id, address=address).select_related("port__network").first()
    if held is None:
        raise BadRequest(
            _("Instance %(device)s does not have fixed IP '%(address)s'.") % {"device": device_id, "address": address}
        )
    held.delete()
    _addresses_changed(held.port)


def _addresses_changed(port: Port) -> None:
    hosts.refresh(ports=[port], groups=port.security_groups.all())
    if port.host:
        hosts.replug(Port.objects.get(pk=port.pk))


def _ask(port: Port, plug: str, request_id: str) -> None:
    port.plug, port.request_id, port.plug_at = plug, request_id, timezone.now()
    port.save(update_fields=["plug", "request_id", "plug_at", "updated_at"])


def _refuse_unknown(ctx: RequestContext, project_id: str, item: dict[str, Any]) -> None:
    port_id, network_id, address = item.get("port"), item.get("uuid"), item.get("fixed_ip")
    if port_id and not Port.objects.filter(pk=port_id, project_id=project_id).exists():
        raise NotFound("Port", port_id, _("Port id %(port)s could not be found.") % {"port": port_id})
    if network_id and network_id not in {network.pk for network in ports.usable_networks(project_id)}:
        if Network.objects.filter(pk=network_id, project_id=project_id).exists():
            raise BadRequest(
                _("Network %(network)s requires a subnet in order to boot instances on.") % {"network": network_id}
            )
        raise NotFound("Network", network_id)
    if address and FixedAddress.objects.filter(subnet__network=network_id, address=address).exists():
        raise Conflict(_("Fixed IP address %(address)s is already in use.") % {"address": address})


def _only_network(project_id: str) -> str:
    usable = ports.usable_networks(project_id)
    if len(usable) > 1:
        raise BadRequest(_("Multiple possible networks found, use a Network ID to be more specific."))
    if not usable:
        raise BadRequest(
            _("No specific network was requested and none are available for project '%(project)s'.") % {"project": project_id}
        )
    return usable[0].pk
