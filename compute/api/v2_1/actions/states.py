"""Pause, suspend, lock, restore and their ways back (compute API reference, "Servers - run an action")."""

from typing import Any

from rest_framework.response import Response

from compute.api.v2_1 import versions
from compute.api.v2_1.actions.handler import ACCEPTED, Handler, simple
from compute.api.v2_1.serializers import state_actions as bodies
from compute.api.v2_1.serializers.base import read
from compute.models import Server
from compute.services import administration, deferred, guest_passwords, locks, rest, signals
from compute.states import VmState
from portal.core.context import RequestContext
from portal.core.errors import Gone, NotFound
from portal.core.versions import Version


def _lock(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    reason = None
    if version >= versions.LOCKED_REASON and body is not None:
        reason = read(bodies.Lock, body, version).get("locked_reason")
    locks.lock(ctx=ctx, server=server, reason=reason)
    return Response(status=ACCEPTED)


def _reset_state(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    state = read(bodies.ResetState, body, version)["state"]
    administration.reset_state(ctx=ctx, server=server, vm_state=VmState(state))
    return Response(status=ACCEPTED)


def _change_password(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    password = read(bodies.ChangePassword, body, version)["adminPass"]
    guest_passwords.change(ctx=ctx, server=server, password=password)
    return Response(status=ACCEPTED)


def _crash_dump(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    if version < versions.CRASH_DUMP:
        raise NotFound("Resource", "", "The resource could not be found.")
    read(bodies.CrashDump, {"trigger_crash_dump": body}, version)
    signals.crash_dump(ctx=ctx, server=server)
    return Response(status=ACCEPTED)


def _reset_network(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    raise Gone("Networks of servers cannot be reset any more: this was for one hypervisor that OpenStack has dropped.")


ACTIONS: dict[str, Handler] = {
    "pause": simple(rest.pause),
    "unpause": simple(rest.unpause),
    "suspend": simple(rest.suspend),
    "resume": simple(rest.resume),
    "lock": _lock,
    "unlock": simple(locks.unlock),
    "restore": simple(deferred.restore),
    "forceDelete": simple(deferred.force_delete),
    "os-resetState": _reset_state,
    "changePassword": _change_password,
    "trigger_crash_dump": _crash_dump,
    "injectNetworkInfo": simple(administration.inject_network_info),
    "resetNetwork": _reset_network,
}
