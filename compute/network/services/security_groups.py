"""Security groups: the one every project has, those that people make, and finding the ones a request names."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from compute.network import policies
from compute.network.models import SecurityGroup, SecurityGroupRule
from compute.network.models.security_group import DEFAULT_GROUP
from compute.network.services import hosts, quotas
from compute.network.services.attributes import owner_of
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, NotFound
from portal.core.policy import authorize

ETHERTYPES = ("IPv4", "IPv6")


def ensure_default(project_id: str) -> SecurityGroup:
    """Return the project's group ``default``, made on first use.

    It lets everything out, and in only what comes from members of the group itself (Networking API, "Security groups").
    """
    found = SecurityGroup.objects.filter(project_id=project_id, name=DEFAULT_GROUP).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return _make_default(project_id)
    except IntegrityError:  # another request made it at the same moment
        return SecurityGroup.objects.get(project_id=project_id, name=DEFAULT_GROUP)


def _make_default(project_id: str) -> SecurityGroup:
    group = SecurityGroup.objects.create(project_id=project_id, name=DEFAULT_GROUP, description="Default security group")
    for ethertype in ETHERTYPES:
        common = {"security_group": group, "project_id": project_id, "ethertype": ethertype}
        SecurityGroupRule.objects.create(direction="egress", **common)
        SecurityGroupRule.objects.create(direction="ingress", remote_group=group, **common)
    return group


@transaction.atomic
def create(*, ctx: RequestContext, values: Mapping[str, Any]) -> SecurityGroup:
    """Return a new group; it lets everything out and nothing in."""
    group = SecurityGroup(
        name=values.get("name") or "", description=values.get("description") or "", project_id=owner_of(ctx, values)
    )
    authorize(ctx, policies.CREATE_SECURITY_GROUP, group)
    ensure_default(group.project_id)
    quotas.admit(group.project_id, "security_group")
    if group.name == DEFAULT_GROUP:
        raise _default_exists()
    group.save(force_insert=True)
    for ethertype in ETHERTYPES:
        SecurityGroupRule.objects.create(
            security_group=group, project_id=group.project_id, direction="egress", ethertype=ethertype
        )
    return group


@transaction.atomic
def change(*, ctx: RequestContext, group: SecurityGroup, values: Mapping[str, Any]) -> SecurityGroup:
    """Return the group with another name or description; the default group keeps its name."""
    authorize(ctx, policies.UPDATE_SECURITY_GROUP, group)
    name = values.get("name")
    if name is not None and name != group.name:
        if group.name == DEFAULT_GROUP:
            raise Conflict(_("Updating default security group not allowed."), "SecurityGroupCannotUpdateDefault")
        if name == DEFAULT_GROUP:
            raise _default_exists()
        group.name = name
    if values.get("description") is not None:
        group.description = values["description"]
    group.save()
    return group


@transaction.atomic
def delete(*, ctx: RequestContext, group: SecurityGroup) -> None:
    """Delete a group that no port is in, with its rules and those that name it; the default one stays, except for operators."""
    authorize(ctx, policies.DELETE_SECURITY_GROUP, group)
    if group.name == DEFAULT_GROUP and not ctx.is_operator:
        raise Conflict(_("Removing default security group not allowed."), "SecurityGroupCannotRemoveDefault")
    if group.ports.exists():
        raise Conflict(_("Security Group %(group)s in use.") % {"group": group.pk}, "SecurityGroupInUse")
    naming = list(SecurityGroup.objects.filter(rules__remote_group=group).exclude(pk=group.pk).distinct())
    group.delete()
    hosts.refresh(ports=[], groups=naming)


def _default_exists() -> Conflict:
    return Conflict(_("Default security group already exists."), "SecurityGroupDefaultAlreadyExists")


def find(project_id: str, wanted: Iterable[str] | None) -> list[SecurityGroup]:
    """Return the groups with these names or ids, or the default one; a group of another project is not found."""
    words = list(dict.fromkeys(wanted or []))
    if not words:
        return [ensure_default(project_id)]
    return [_one(project_id, word) for word in words]


def named(project_id: str, word: str) -> SecurityGroup:
    """Return the project's one group with this name or id; raises NotFound, or Conflict when there are several."""
    try:
        return _one(project_id, word)
    except BadRequest as error:
        raise NotFound("SecurityGroup", word, error.message) from error


def _one(project_id: str, word: str) -> SecurityGroup:
    if word == DEFAULT_GROUP:
        return ensure_default(project_id)
    rows = list(SecurityGroup.objects.filter(Q(pk=word) | Q(name=word), project_id=project_id)[:3])
    exact = [row for row in rows if row.pk == word] or rows
    if not exact:
        raise BadRequest(_("Security group %(group)s not found.") % {"group": word})
    if len(exact) > 1:
        raise Conflict(
            _("Multiple security groups found matching '%(group)s'. Use an ID to be more specific.") % {"group": word}
        )
    return exact[0]
