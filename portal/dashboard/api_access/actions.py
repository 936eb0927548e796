"""The buttons of an application credential."""

from django.utils.translation import gettext as _

from accounts import policies
from accounts.models import ApplicationCredential
from accounts.services import application_credentials
from portal.core.context import RequestContext
from portal.dashboard.kit.actions import DeleteAction
from portal.dashboard.kit.commands import Commands, curl, openstack


class Delete(DeleteAction):
    panel = "api-access"
    subject = "credential"
    rule = policies.DELETE_APPLICATION_CREDENTIAL

    @staticmethod
    def perform(*, ctx: RequestContext, credential: ApplicationCredential) -> None:
        application_credentials.delete(ctx=ctx, user_id=credential.user_id, key=credential.pk)

    def command(self, obj: ApplicationCredential) -> Commands:
        path = f"/identity/v3/users/{obj.user_id}/application_credentials/{obj.pk}"
        return Commands(openstack("application", "credential", "delete", obj.pk), curl("DELETE", path))

    def said(self, obj: ApplicationCredential) -> str:
        return _("The application credential %(name)s is deleted.") % {"name": obj.name}


ACTIONS = (Delete(),)
BY_NAME = {action.name: action for action in ACTIONS}
