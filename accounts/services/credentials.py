"""Credentials: secrets that identity keeps for users, and EC2 key pairs among them."""

import secrets
from typing import Annotated, Any

import msgspec
from django.utils.translation import gettext as _

from accounts import contexts, policies, selectors
from accounts.models import Credential, Project, User
from accounts.models.credential import EC2, ec2_id
from accounts.services import vault
from accounts.services.writing import change, storing
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Forbidden
from portal.core.policy import authorize

Filled = Annotated[str, msgspec.Meta(min_length=1)]


class KeyPair(msgspec.Struct, frozen=True):
    """What the secret of an ``ec2`` credential spells, in JSON."""

    access: Filled
    secret: Filled
    trust_id: str | None = None


def create(
    *,
    ctx: RequestContext,
    user_id: str,
    type: str,
    blob: str,
    project_id: str | None = None,
    extra: dict[str, Any] | None = None,
) -> Credential:
    """Return a new credential of a user; one of type ``ec2`` is found by its access key from then on."""
    authorize(ctx, policies.CREATE_CREDENTIAL, _owned_by(user_id))
    row = Credential(type=type, user=selectors.find(User, "user", user_id), extra=extra or {})
    if project_id is not None:
        row.project = selectors.find(Project, "project", project_id)
    if type == EC2:
        if row.project is None:
            raise BadRequest(_("A credential of type ec2 needs a project_id."))
        row.pk = ec2_id(_pair(blob).access)
    return _stored(ctx, row, blob)


def create_ec2(*, ctx: RequestContext, user: User, project: Project) -> Credential:
    """Return a new EC2 key pair with which its user works in a project."""
    authorize(ctx, policies.EC2_CREATE_CREDENTIAL, _owned_by(user.pk))
    pair = KeyPair(access=secrets.token_hex(16), secret=secrets.token_hex(16))
    row = Credential(pk=ec2_id(pair.access), type=EC2, user=user, project=project)
    return _stored(ctx, row, msgspec.json.encode(pair).decode())


def update(*, ctx: RequestContext, credential: Credential, blob: str | None = None, **changes: Any) -> Credential:
    """Put another secret into a credential, or make it another's or of another type; an EC2 key pair stays whose it is.

    The rule is asked about the credential as it was and as it would be, so nobody gives one away who may not make it there.
    """
    authorize(ctx, policies.UPDATE_CREDENTIAL, credential)
    selectors.refuse_delegated(ctx)
    _refuse_moved_pair(credential, changes)
    if "user_id" in changes:
        credential.user = selectors.find(User, "user", changes.pop("user_id"))
    if "project_id" in changes:
        project_id = changes.pop("project_id")
        credential.project = selectors.find(Project, "project", project_id) if project_id else None
    change(credential, changes)
    authorize(ctx, policies.UPDATE_CREDENTIAL, credential)
    _refuse_foreign_project(ctx, credential)
    if blob is not None:
        if credential.type == EC2:
            _pair(blob)
        credential.sealed = vault.seal(blob)
    credential.save()
    return credential


def _refuse_moved_pair(credential: Credential, changes: dict[str, Any]) -> None:
    """Raise BadRequest where an EC2 key pair would get another owner, project or type: it would open what those may do."""
    if EC2 not in (credential.type, changes.get("type")):
        return
    moved = ("user_id", "project_id", "type")
    changed = next((name for name in moved if changes.get(name, getattr(credential, name)) != getattr(credential, name)), None)
    if changed is not None:
        raise BadRequest(
            _("The %(name)s of an EC2 key pair cannot be changed. Delete it and create another one.") % {"name": changed}
        )


def delete(*, ctx: RequestContext, credential: Credential) -> None:
    """Delete a credential; what it opened stays closed from now on."""
    authorize(ctx, policies.DELETE_CREDENTIAL, credential)
    selectors.refuse_delegated(ctx)
    credential.delete()


def delete_ec2(*, ctx: RequestContext, user_id: str, access: str) -> None:
    """Delete an EC2 key pair of a user."""
    credential = selectors.ec2_credential(ctx, user_id, access, policies.EC2_DELETE_CREDENTIAL)
    credential.delete()


def ec2_pair(credential: Credential) -> KeyPair:
    """Return access key and secret of a credential of type ``ec2``."""
    return _pair(vault.unseal(credential))


def _stored(ctx: RequestContext, row: Credential, blob: str) -> Credential:
    selectors.refuse_delegated(ctx)
    _refuse_foreign_project(ctx, row)
    row.sealed = vault.seal(blob)
    clash = _("Conflict occurred attempting to store credential - Duplicate entry found with id %(id)s.") % {"id": row.pk}
    with storing(clash):
        row.save(force_insert=True)
    return row


def _refuse_foreign_project(ctx: RequestContext, row: Credential) -> None:
    if row.project is not None and row.user_id == ctx.user_id and not _may_use(row.user, row.project):
        raise Forbidden(_("A credential of your own must be for a project in which you hold a role."))


def _may_use(user: User, project: Project) -> bool:
    return contexts.usable_projects(user.pk).filter(pk=project.pk).exists()


def _owned_by(user_id: str) -> dict[str, Any]:
    return {"target.credential.user_id": user_id}


def _pair(blob: str) -> KeyPair:
    """Return what the blob of an ``ec2`` credential spells; raises BadRequest when it is no key pair."""
    try:
        return msgspec.json.decode(blob, type=KeyPair)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(_("The blob of a credential of type ec2 must be a JSON object with access and secret.")) from error
