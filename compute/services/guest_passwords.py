"""Passwords inside guests, set by the guest's agent while the caller waits: they are passed on and kept nowhere."""

import threading
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone, translation

from compute import notify, policies
from compute.messages import SET_PASSWORD
from compute.models import Server
from compute.services import actions, failures, operations, questions
from compute.states import Action
from portal.core import faults
from portal.core.context import RequestContext
from portal.core.errors import CloudError
from portal.core.faults import Point
from portal.core.policy import authorize

BOOT_S = 45
AGAIN_S = 1
WAITING_MOST = 2
_waiting = threading.BoundedSemaphore(WAITING_MOST)
_STARTS = (Action.CREATE, Action.REBUILD, Action.UNSHELVE, Action.START, Action.REBOOT, Action.REBOOT_HARD)
_ADMINISTRATORS = {"windows": "Administrator"}


def change(*, ctx: RequestContext, server: Server, password: str) -> None:
    """Set the password of the guest's administrator; raises Conflict with a sentence when its agent cannot do that."""
    with transaction.atomic():
        authorize(ctx, policies.ADMIN_PASSWORD, server)
        operations.refuse_locked(ctx, server)
        operations.take(ctx, server, Action.CHANGE_PASSWORD)
    faults.reach(Point.COMMITTED, server.pk)
    try:
        with translation.override("en"):  # a failure is kept with the server, for readers of any language
            _ask(server, password)
    except CloudError as error:
        failures.fail_operation(server, Action.CHANGE_PASSWORD, error.message, None)
        raise
    faults.reach(Point.SENT, server.pk)
    with transaction.atomic():
        Server.objects.finish(server.pk, ctx.request_id, None)
        actions.finish(server, ctx.request_id, Action.CHANGE_PASSWORD, None)
        notify.server_changed(server)


def _ask(server: Server, password: str) -> None:
    """Have the agent set it. Of a guest that has just been started it is not up yet: it is asked again for as long as a boot takes.

    Few may wait so at once in this process, whose threads everybody needs: others get the conflict.
    """
    waits, booted_at = False, None
    try:
        while True:
            try:
                questions.ask(server, SET_PASSWORD, user=_administrator(server), password=password)
                return
            except questions.NotYet:
                booted_at = booted_at or _booted_at(server)
                late = timezone.now() > booted_at
                waits = waits or (not late and _waiting.acquire(blocking=False))
                if late or not waits:
                    raise
            time.sleep(AGAIN_S)
    finally:
        if waits:
            _waiting.release()


def _booted_at(server: Server) -> datetime:
    """Return by when a guest has surely booted that was started last as the actions log tells."""
    started = server.actions.filter(action__in=_STARTS, message=None).aggregate(at=Max("finished_at"))["at"]
    return (started or server.created_at) + timedelta(seconds=BOOT_S)


def _administrator(server: Server) -> str:
    properties = server.image_properties
    return str(properties.get("os_admin_user") or _ADMINISTRATORS.get(properties.get("os_type", ""), "root"))
