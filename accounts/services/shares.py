"""Objects shared with a person or a project: what is given, until when, and how it ends.

Which permissions a level stands for each app declares for its objects; only permissions whose rule asks for them
(``guardian:``) can be given. The rule engine reads guardian's rows; a ``Share`` says who gave what to whom and for how long.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group as SharedWith
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from guardian.models import GroupObjectPermission, UserObjectPermission

from accounts import contexts
from accounts.models import Assignment, Project, Share, User
from accounts.models.share import Level
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import Rule, authorize
from portal.core.policy.checks import project_group


@dataclass(frozen=True)
class Kind:
    """How objects of one table are shared: the rule that lets somebody give, and what each level adds to those below it."""

    rule: Rule
    levels: Mapping[Level, tuple[Rule, ...]]

    def permissions(self, level: Level) -> set[str]:
        """Return the codenames that a level stands for."""
        order = list(Level)
        steps = order[: order.index(level) + 1]
        return {str(rule.perm).partition(".")[2] for step in steps for rule in self.levels[step]}


_kinds: dict[type[Model], Kind] = {}


def declare(model: type[Model], rule: Rule, levels: Mapping[Level, tuple[Rule, ...]]) -> None:
    """Make the objects of a table shareable; raises ValueError for a rule that does not ask for grants."""
    for each in (part for rules in levels.values() for part in rules):
        if f"guardian:{each.perm}" not in each.check:
            raise ValueError(f"{each.name} has no part guardian:{each.perm}: giving it would change nothing.")
    _kinds[model] = Kind(rule, levels)


def rule_of(obj: Model) -> Rule:
    """Return the rule that says who may share an object."""
    return _kinds[type(obj)].rule


def share(
    *,
    ctx: RequestContext,
    obj: Any,
    owner_project_id: str,
    level: str,
    user: User | None = None,
    project: Project | None = None,
    ends_at: datetime | None = None,
) -> Share:
    """Share an object with a user or a project; doing it again changes level and end."""
    kind = _kinds[type(obj)]
    authorize(ctx, kind.rule, obj)
    if level not in Level.values:
        raise BadRequest(_("The level must be one of %(levels)s.") % {"levels": ", ".join(Level.values)})
    if (user is None) == (project is None):
        raise BadRequest(_("Share with a person or with a project."))
    if ends_at is not None and ends_at <= timezone.now():
        raise BadRequest(_("The end must lie in the future."))
    if project is not None and project.pk == owner_project_id:
        raise BadRequest(_("It belongs to this project already."))
    values = {
        "level": level,
        "ends_at": ends_at,
        "owner_project_id": owner_project_id,
        "given_by_id": ctx.user_id,
        "by_membership": user is not None and _works_in(user.pk, owner_project_id),
    }
    with transaction.atomic():
        row, _made = Share.objects.update_or_create(
            **_about(obj),
            user=user,
            project=project,
            defaults=values,
        )
        _write_permissions(row, kind.permissions(Level(level)))
    return row


def withdraw(*, ctx: RequestContext, obj: Any, share_id: str) -> None:
    """End a share of an object: by whoever may share it, or by the person whom it was given to."""
    row = of_object(obj).filter(pk=share_id).first()
    if row is None:
        raise NotFound("Share", share_id)
    if row.user_id is None or row.user_id != ctx.user_id:
        authorize(ctx, _kinds[type(obj)].rule, obj)
    _end([row])


def of_object(obj: Model) -> QuerySet[Share]:
    """Return with whom an object is shared."""
    return Share.objects.filter(**_about(obj)).select_related("user", "project", "given_by")


def received(ctx: RequestContext) -> QuerySet[Share]:
    """Return what is shared with the caller himself and with his present project."""
    mine = Q(user_id=ctx.user_id) | (Q(project_id=ctx.project_id) if ctx.project_id else Q())
    return Share.objects.filter(mine).select_related("content_type", "user", "project", "given_by")


def given_in(ctx: RequestContext) -> QuerySet[Share]:
    """Return what of the caller's project is shared with others."""
    rows = Share.objects.filter(owner_project_id=ctx.project_id or "")
    return rows.select_related("content_type", "user", "project", "given_by")


def forget(obj: Model) -> None:
    """End every share of an object that goes away, with all permissions on it."""
    for model in (Share, UserObjectPermission, GroupObjectPermission):
        model._default_manager.filter(**_about(obj)).delete()


def sweep() -> int:
    """End the shares whose time is over and those of people who left the project that shared; return how many."""
    over = list(Share.objects.filter(ends_at__lte=timezone.now()))
    return _end([*over, *_of_leavers()])


def end_for_leavers() -> None:
    """End what was shared with people as colleagues who are none any more."""
    _end(_of_leavers())


def _about(obj: Model) -> dict[str, Any]:
    return {"content_type": ContentType.objects.get_for_model(obj), "object_pk": str(obj.pk)}


def _of_leavers() -> list[Share]:
    place = OuterRef("owner_project_id")
    held = Assignment.objects.filter(contexts.given_to(OuterRef("user_id")), contexts.on_project(place))
    usable = Project.objects.filter(pk=place, enabled=True, domain__enabled=True)
    return list(Share.objects.filter(by_membership=True).exclude(Exists(held), Exists(usable)))


def _works_in(user_id: str, project_id: str) -> bool:
    return contexts.usable_projects(user_id).filter(pk=project_id).exists()


def _end(rows: Iterable[Share]) -> int:
    count = 0
    for row in rows:
        with transaction.atomic():
            _write_permissions(row, set())
            count += Share.objects.filter(pk=row.pk).delete()[0]
    return count


def _write_permissions(row: Share, wanted: set[str]) -> None:
    """Let guardian's rows for this receiver and object be just ``wanted``."""
    where: dict[str, Any] = {"content_type_id": row.content_type_id, "object_pk": row.object_pk}
    model: Any = UserObjectPermission
    if row.user_id is not None:
        where["user_id"] = row.user_id
    else:
        model = GroupObjectPermission
        where["group"] = SharedWith.objects.get_or_create(name=project_group(str(row.project_id)))[0]
    model.objects.filter(**where).exclude(permission__codename__in=wanted).delete()
    permissions = Permission.objects.filter(content_type_id=row.content_type_id, codename__in=wanted)
    model.objects.bulk_create([model(permission=item, **where) for item in permissions], ignore_conflicts=True)
