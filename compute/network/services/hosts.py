"""Outwards: hosts are told which ports to filter how, and which cards to plug, with the transaction that decided it."""

from collections.abc import Iterable
from functools import cache

from django.db.models import F, Q

from compute.messages import COMMAND_ACTORS, host_queue, pack
from compute.network import selectors
from compute.network.models import Port, SecurityGroup
from compute.port_messages import AttachInterface, DetachInterface, PortCommand, SetFilters
from compute.virt.driver import PLAIN, Wishes
from portal.core import bus
from portal.core.context import new_request_id


def refresh(*, ports: Iterable[Port], groups: Iterable[SecurityGroup], but: str = "") -> None:
    """Tell every host that these ports and groups concern how they are now, ``but`` one that is told otherwise.

    The new revision is written first: whoever else changes the same group waits for it, and so a higher one always knows more.
    """
    changed = [port.pk for port in ports]
    group_ids = {group.pk for group in groups}
    Port.objects.filter(pk__in=changed).update(revision=F("revision") + 1)
    for group_id in sorted(group_ids):
        SecurityGroup.objects.filter(pk=group_id).update(revision=F("revision") + 1)
    mine = list(selectors.ports_with_filters().filter(pk__in=changed).exclude(host=""))
    specs = cache(selectors.group_specs)  # most hosts hear of the same groups
    concerned = _hosts_of(group_ids) | {port.host for port in mine}
    for host in sorted(concerned - {but}):
        here = [selectors.port_filter(port) for port in mine if port.host == host]
        named = group_ids.union(*(one.groups for one in here))
        send(host, SetFilters(new_request_id(), here, specs(frozenset(named))))


def announce(device_id: str, host: str) -> None:
    """Note on which host a device is being built, and let the members of its groups elsewhere know its addresses.

    The host itself hears of them with the device.
    """
    ports = Port.objects.filter(device_id=device_id)
    ports.update(host=host)
    refresh(ports=[], groups=SecurityGroup.objects.filter(ports__in=ports).distinct(), but=host)


def refresh_host(host: str, *, leaving: Iterable[str] = ()) -> None:
    """Tell a host the filters of all its ports, but of these devices, which are ``leaving``: it may have removed them by then."""
    ports = selectors.ports_with_filters().filter(host=host).exclude(device_id__in=leaving)
    filters = [selectors.port_filter(port) for port in ports]
    groups = set().union(*(one.groups for one in filters)) if filters else set()
    send(host, SetFilters(new_request_id(), filters, selectors.group_specs(groups)))


def replug(port: Port, wishes: Wishes = PLAIN) -> None:
    """Bring the card of a port that a device has up to date on its host; a new one is made as the device's ``wishes`` say."""
    (spec,) = [one for one in selectors.interface_specs(port.device_id) if one.port_id == port.pk]
    groups = selectors.group_specs(spec.filter.groups if spec.filter else [])
    send(port.host, AttachInterface(port.device_id, port.request_id or new_request_id(), spec, groups, wishes))


def unplug(port: Port) -> None:
    """Take the card of a port out of its device."""
    send(port.host, DetachInterface(port.device_id, port.request_id or new_request_id(), port.pk))


def send(host: str, command: PortCommand) -> None:
    """Send a command to a host when the present transaction commits."""
    bus.cast(host_queue(host), COMMAND_ACTORS[type(command)], pack(command))


def _hosts_of(group_ids: set[str]) -> set[str]:
    """Return the hosts of ports that are in these groups, or in groups whose rules name them."""
    if not group_ids:
        return set()
    either = Q(security_groups__in=group_ids) | Q(security_groups__rules__remote_group__in=group_ids)
    return set(Port.objects.filter(either).exclude(host="").order_by().values_list("host", flat=True).distinct())
