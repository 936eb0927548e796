"""Security groups: the one every project has, and finding the ones a request names."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Q

from compute.network.models import SecurityGroup, SecurityGroupRule
from compute.network.models.security_group import DEFAULT_GROUP
from portal.core.errors import BadRequest, Conflict


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
    for ethertype in ("IPv4", "IPv6"):
        common = {"security_group": group, "project_id": project_id, "ethertype": ethertype}
        SecurityGroupRule.objects.create(direction="egress", **common)
        SecurityGroupRule.objects.create(direction="ingress", remote_group=group, **common)
    return group


def find(project_id: str, wanted: Iterable[str] | None) -> list[SecurityGroup]:
    """Return the groups with these names or ids, or the default one; a group of another project is not found."""
    words = list(dict.fromkeys(wanted or []))
    if not words:
        return [ensure_default(project_id)]
    return [_one(project_id, word) for word in words]


def _one(project_id: str, word: str) -> SecurityGroup:
    if word == DEFAULT_GROUP:
        return ensure_default(project_id)
    rows = list(SecurityGroup.objects.filter(Q(pk=word) | Q(name=word), project_id=project_id)[:3])
    exact = [row for row in rows if row.pk == word] or rows
    if not exact:
        raise BadRequest(f"Security group {word} not found.")
    if len(exact) > 1:
        raise Conflict(f"Multiple security groups found matching '{word}'. Use an ID to be more specific.")
    return exact[0]
