"""The buttons of a key."""

from django.utils.translation import gettext as _

from compute import policies
from compute.models import Keypair
from compute.services import keypairs
from portal.dashboard.kit.actions import DeleteAction
from portal.dashboard.kit.commands import Commands, curl, openstack


class Delete(DeleteAction):
    panel = "keys"
    subject = "keypair"
    rule = policies.KEYPAIRS_DELETE
    perform = staticmethod(keypairs.delete)

    def command(self, obj: Keypair) -> Commands:
        return Commands(openstack("keypair", "delete", obj.name), curl("DELETE", f"/compute/v2.1/os-keypairs/{obj.name}"))

    def said(self, obj: Keypair) -> str:
        return _("The key %(name)s is deleted.") % {"name": obj.name}


ACTIONS = (Delete(),)
BY_NAME = {action.name: action for action in ACTIONS}
