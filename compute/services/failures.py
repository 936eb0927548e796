"""How operations fail: what they held is given back, and a sentence tells why."""

import logging
from typing import Any

from django.db import transaction

from compute import notify, rpc
from compute.messages import Destroy
from compute.models import Server, ServerFault
from compute.network.services import ports
from compute.services import actions, claims, migrations, setbacks
from compute.states import Action, PowerState, VmState

LOG = logging.getLogger(__name__)

SENTENCE_MAX = 255
LOST = 410


@transaction.atomic
def fail_build(server: Server, fault: str, abandon_host: bool = False) -> bool:
    """End a build in ERROR: no host, no claim and no address are left; False when it is not the server's operation any more.

    ``abandon_host`` tells a host that may still be at work to leave nothing behind.
    """
    held = Server.objects.select_for_update().filter(pk=server.pk).values_list("host", flat=True).first()
    ended = Server.objects.finish(
        server.pk, server.request_id, VmState.ERROR, host=None, availability_zone=None, power_state=PowerState.NOSTATE
    )
    if not ended:
        return False
    claims.give_back(server, held)
    ports.release(server.pk)
    if held is not None and abandon_host:
        rpc.send(held, Destroy(server.pk, server.request_id))
    record(server, Action.CREATE, fault)
    return True


@transaction.atomic
def fail_operation(server: Server, action: Action, fault: str, vm_state: VmState | None, **changes: Any) -> bool:
    """End an operation of a built server with a fault; False when it is not the server's operation any more.

    ``vm_state`` None leaves the server in the state that it had.
    """
    if not Server.objects.finish(server.pk, server.request_id, vm_state, **changes):
        return False
    setbacks.apply(server, action)
    migrations.set_back(server, action, vm_state)
    record(server, action, fault)
    return True


def record(server: Server, action: Action, fault: str) -> None:
    """Write a fault down, in the action and for whoever looks at the server."""
    actions.finish(server, server.request_id, action, fault)
    write_fault(server, fault)
    LOG.warning("Instance %s: %s failed: %s", server.pk, action, fault)
    notify.server_changed(server)


def write_fault(server: Server, fault: str, code: int = 500) -> None:
    """Keep the sentence that tells why a server is in ERROR."""
    ServerFault.objects.update_or_create(
        server=server, defaults={"message": fault[:SENTENCE_MAX], "details": fault, "code": code}
    )
