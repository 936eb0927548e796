"""/v3/credentials"""

from typing import Any

from accounts import selectors
from accounts.api.v3.filters import narrow
from accounts.api.v3.presenters import Body, Link
from accounts.api.v3.serializers import Ident, OpenSerializer
from accounts.api.v3.views.base import CollectionView, MemberView
from accounts.models import Credential
from accounts.services import credentials, vault
from portal.core.api.serializers import StrictString


class Blob(StrictString):
    """A secret as the client spells it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, max_length=65535, **options)


class CredentialShape(OpenSerializer):
    type = StrictString(max_length=255)
    user_id = Ident()
    project_id = Ident(required=False, allow_null=True)
    blob = Blob()


def present(row: Credential, link: Link) -> Body:
    return {
        **row.extra,
        "id": row.pk,
        "type": row.type,
        "user_id": row.user_id,
        "project_id": row.project_id,
        "blob": vault.unseal(row),
        "links": {"self": link(f"credentials/{row.pk}")},
    }


class CredentialsView(CollectionView):
    """GET and POST /v3/credentials"""

    singular, plural, shape = "credential", "credentials", CredentialShape
    present, create = present, credentials.create

    def rows(self) -> Any:
        return narrow(selectors.credentials_visible(self.ctx), self.request.GET, "user_id", "type")


class CredentialView(MemberView):
    """GET, PATCH and DELETE /v3/credentials/{id}"""

    model, singular, shape, present = Credential, "credential", CredentialShape, present
    find, update, delete_row = selectors.get_credential, credentials.update, credentials.delete

    def row(self, key: str) -> Credential:
        """Return it to who may see it; to others each refusal of another's reads like that of none."""
        return selectors.get_credential(self.ctx, key)
