"""The very end of a server: its row stays, all it held is given back."""

import logging

from django.db import transaction

from accounts.services import shares
from compute import notify
from compute.models import ConsoleToken, Server
from compute.network.services import ports
from compute.services import actions, claims, migrations, setbacks, usage
from compute.states import Action

LOG = logging.getLogger(__name__)


@transaction.atomic
def remove(server_id: str, request_id: str) -> bool:
    """Mark a server deleted and give back claim, addresses and console tokens; False when this deletion is not its own any more."""
    server = Server.objects.present().select_for_update().filter(pk=server_id).first()
    if server is None or not Server.objects.remove(server_id, request_id):
        return False
    claims.give_back(server, server.host)
    usage.follow(server_id)
    setbacks.forget_shelved(server)
    migrations.forget(server)
    ports.release(server_id)
    ConsoleToken.objects.filter(server=server).delete()
    shares.forget(server)
    actions.abandon(server, except_request=request_id)
    actions.finish(server, request_id, Action.DELETE, None)
    notify.server_changed(server)
    LOG.info("Instance %s was removed.", server_id)
    return True


def forget(server_id: str, request_id: str) -> None:
    """Remove a server of which no host knows; a doubled message changes nothing."""
    if Server.objects.present().filter(pk=server_id, request_id=request_id, host=None).exists():
        remove(server_id, request_id)
