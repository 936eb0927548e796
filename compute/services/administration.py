"""What operators do to servers that got stuck, and what is asked of a guest beside its states."""

from django.db import transaction

from compute import notify, policies
from compute.models import Server
from compute.services import actions, migrations, operations
from compute.states import OtherAction, VmState
from portal.core.context import RequestContext
from portal.core.policy import authorize


@transaction.atomic
def reset_state(*, ctx: RequestContext, server: Server, vm_state: VmState) -> None:
    """Call a server active or in error, whatever it was; what was running on it is given up."""
    authorize(ctx, policies.RESET_STATE, server)
    migrations.abandon(server, only_running=vm_state != VmState.ACTIVE)
    Server.objects.reset(server.pk, vm_state)
    actions.abandon(server, except_request=ctx.request_id)
    actions.done(ctx, server, OtherAction.RESET_STATE)
    notify.server_changed(server)


def inject_network_info(*, ctx: RequestContext, server: Server) -> None:
    """Accept the wish that a guest learn its network anew: it asks for its addresses itself, so there is nothing to put in."""
    authorize(ctx, policies.INJECT_NETWORK_INFO, server)
    operations.refuse_locked(ctx, server)
