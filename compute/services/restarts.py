"""A compute host whose machine was started anew: its guests are off, and those that ran run again where the host asks for it.

A host's row keeps the boot id of the start after which all guests were looked at. So a conductor that dies in between goes on with
the next report, and reports that come twice or together find what was begun: the server rests no more, or is not what it was.
"""

import logging
from datetime import datetime

from django.db import transaction

from compute import rpc
from compute.messages import HostReport, PowerOn
from compute.models import Host, Server
from compute.services import commands, operations, reports
from compute.states import Action, OtherAction, PowerState, VmState
from portal.core import log
from portal.core.context import RequestContext, new_request_id
from portal.core.errors import CloudError

LOG = logging.getLogger(__name__)

CAUSE = OtherAction.HOST_RESTART
_UP = (PowerState.RUNNING, PowerState.PAUSED)
_AGAIN = {VmState.STOPPED: Action.START, VmState.SUSPENDED: Action.RESUME}
_AS_THEY_ARE = (VmState.RESCUED, VmState.RESIZED)


def noticed(host: Host, report: HostReport) -> bool:
    """Whether a report is of another start of the machine than the one that is settled."""
    restarted = bool(host.boot_id and report.boot_id) and host.boot_id != report.boot_id
    if restarted:
        LOG.warning("Host %s was restarted; guests that ran %s.", host.name, "start again" if report.resumes else "stay off")
    return restarted


def settle(host: Host, report: HostReport) -> None:
    """Note that all guests of this start were looked at."""
    if report.boot_id and host.boot_id != report.boot_id:
        Host.objects.filter(pk=host.pk).update(boot_id=report.boot_id)


def take_over(server: Server, power_state: PowerState, at: datetime, *, again: bool) -> bool:
    """Write down that a guest went off with its host, and with ``again`` have one that ran started; False when it did not go off.

    One that was paused lost its memory and is stopped. One whose memory was saved as the host went down goes on where it was.
    """
    if server.task_state is not None or server.power_state not in _UP or power_state in _UP:
        return False
    ran = server.power_state == PowerState.RUNNING
    try:
        with transaction.atomic():
            known = reports.take_over(server, power_state, at, CAUSE)
            if known and again and ran:
                _start(Server.objects.select_related("number").get(pk=server.pk))
    except CloudError as error:  # somebody deletes it just now
        LOG.info("Instance %s is not started again: %s", server.pk, error.message)
        return False
    return known


def _start(server: Server) -> None:
    """Have a guest that is off run again as what its server is."""
    ctx = RequestContext.for_conductor(new_request_id())
    if server.vm_state in _AS_THEY_ARE:
        rpc.send(server.host or "", PowerOn(server.pk, ctx.request_id, as_it_is=True, order=server.operation_order))
    elif server.vm_state in _AGAIN:
        with log.bound(request_id=ctx.request_id, server_id=server.pk):
            operations.take(ctx, server, _AGAIN[VmState(server.vm_state)])
            commands.send(server)
