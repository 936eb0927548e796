"""Which address a port gets. The unique constraint decides; what is computed here is only a good guess."""

import random
from collections.abc import Iterator
from ipaddress import IPv4Address, ip_address
from itertools import islice

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from compute.network.models import FixedAddress, Port, Subnet
from portal.core.errors import BadRequest, Conflict

ATTEMPTS = 12
_WINDOW = 64
_LARGE = 1_024
_TRIES = 5


def assign(port: Port, subnet: Subnet) -> FixedAddress:
    """Give the port a free address of the subnet's pools; raises Conflict when there is none.

    The guess is random within some free addresses, so that requests at the same moment seldom meet; when they do, the database
    refuses one of them and it guesses again. Those are the first ones, but in a subnet too large to be looked through each time.
    """
    for _attempt in range(ATTEMPTS):
        window = _some_free(subnet)
        if not window:
            break
        found = take(port, subnet, random.choice(window))  # noqa: S311 - no secret, only spreading
        if found is not None:
            return found
    raise Conflict(
        _("No fixed IP addresses available for network: %(network)s") % {"network": subnet.network_id},
        "IpAddressGenerationFailure",
    )


def assign_exactly(port: Port, subnet: Subnet, address: str) -> FixedAddress:
    """Give the port this very address; raises BadRequest when it is taken or cannot belong to a port."""
    wanted = IPv4Address(address)
    if wanted in reserved(subnet):
        raise BadRequest(
            _("Invalid fixed IP address %(address)s: it is reserved on subnet %(subnet)s.")
            % {"address": address, "subnet": subnet.id}
        )
    found = take(port, subnet, str(wanted))
    if found is None:
        holder = (
            FixedAddress.objects.filter(subnet=subnet, address=str(wanted)).values_list("port__device_id", flat=True).first()
        )
        mine = FixedAddress.objects.filter(subnet=subnet, port__project_id=port.project_id, address=str(wanted)).exists()
        if mine and holder:
            raise BadRequest(
                _("Fixed IP address %(address)s is already in use on instance %(instance)s.")
                % {"address": address, "instance": holder}
            )
        raise BadRequest(_("Fixed IP address %(address)s is already in use.") % {"address": address})
    return found


def take(port: Port, subnet: Subnet, address: str) -> FixedAddress | None:
    """Give the port this address, or return None when another has it."""
    try:
        with transaction.atomic():
            return FixedAddress.objects.create(port=port, subnet=subnet, address=address)
    except IntegrityError:
        return None


def _some_free(subnet: Subnet) -> list[str]:
    """Return a few free addresses, none only when there is none."""
    pools = [range(int(ip_address(pool["start"])), int(ip_address(pool["end"])) + 1) for pool in subnet.allocation_pools]
    if sum(map(len, pools)) > _LARGE:
        for _try in range(_TRIES):
            pool = random.choices(pools, weights=[len(pool) for pool in pools])[0]  # noqa: S311
            begin = random.randrange(len(pool))  # noqa: S311
            part = pool[begin : begin + _WINDOW]
            near = [str(IPv4Address(number)) for number in part]
            taken = set(subnet.fixed_addresses.filter(address__in=near).values_list("address", flat=True))
            if found := list(_free(subnet, [part], taken)):
                return found
    taken = set(subnet.fixed_addresses.values_list("address", flat=True))
    return list(islice(_free(subnet, pools, taken), _WINDOW))


def _free(subnet: Subnet, pools: list[range], taken: set[str]) -> Iterator[str]:
    kept = reserved(subnet)
    for pool in pools:
        for number in pool:
            address = IPv4Address(number)
            if address not in kept and str(address) not in taken:
                yield str(address)


def reserved(subnet: Subnet) -> set[IPv4Address]:
    """Return the addresses of a range that no port can have."""
    span = subnet.range
    return {span.network_address, span.broadcast_address, IPv4Address(subnet.host_address)}
