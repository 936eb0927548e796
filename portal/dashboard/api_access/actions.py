"""The buttons of what acts in one's name: application credentials, other credentials, trusts."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import policies
from accounts.models import ApplicationCredential
from accounts.services import application_credentials, credentials, trusts
from portal.core.context import RequestContext
from portal.dashboard.api_access.held import CredentialLine, TrustLine
from portal.dashboard.kit.actions import DeleteAction
from portal.dashboard.kit.commands import Commands, curl, openstack


class Delete(DeleteAction):
    warning = gettext_lazy("Programs that use it are shut out at once, and its tokens end.")
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


class DeleteCredential(DeleteAction):
    warning = gettext_lazy("Programs that use it are shut out at once.")
    panel = "api-access:credentials"
    rule = policies.DELETE_CREDENTIAL

    def run(self, ctx: RequestContext, obj: CredentialLine) -> None:
        credentials.delete(ctx=ctx, credential=obj.row)

    def command(self, obj: CredentialLine) -> Commands:
        return Commands(openstack("credential", "delete", obj.pk), curl("DELETE", f"/identity/v3/credentials/{obj.pk}"))

    def said(self, obj: CredentialLine) -> str:
        return _("The credential %(name)s is deleted.") % {"name": obj.name}


class DeleteTrust(DeleteAction):
    warning = gettext_lazy("Nobody acts by it any more from then on, nor by the trusts that were made of it.")
    panel = "api-access:trusts"
    rule = policies.DELETE_TRUST

    def run(self, ctx: RequestContext, obj: TrustLine) -> None:
        trusts.delete(ctx=ctx, trust_id=obj.pk)

    def command(self, obj: TrustLine) -> Commands:
        return Commands(openstack("trust", "delete", obj.pk), curl("DELETE", f"/identity/v3/OS-TRUST/trusts/{obj.pk}"))

    def said(self, obj: TrustLine) -> str:
        return _("The trust is deleted.")


ACTIONS = (Delete(),)
BY_NAME = {action.name: action for action in ACTIONS}
CREDENTIAL_ACTIONS = (DeleteCredential(),)
TRUST_ACTIONS = (DeleteTrust(),)
