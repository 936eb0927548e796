"""Who holds which role where in the end: groups opened, inheritance followed, implied roles named, each with the way it came."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from django.db.models import Q

from accounts import contexts, holdings
from accounts.models import Ancestor, Assignment, Group, Membership, Project, Role, User


@dataclass(frozen=True)
class Held:
    """A role that an actor holds in a place; ``row`` is the assignment that it comes from, ``prior`` the role that implies it."""

    row: Assignment
    role: Role
    user: User | None
    group: Group | None
    project: Project | None
    prior: Role | None = None

    @property
    def place_id(self) -> str:
        """The id of the project or domain, or the word ``system``."""
        if self.project is not None:
            return str(self.project.pk)
        return self.row.domain_id or "system"


def as_given(rows: Iterable[Assignment]) -> list[Held]:
    """Return assignments as they were made."""
    return [Held(row, row.role, row.user, row.group, row.project) for row in rows]


def as_held(rows: Iterable[Assignment], *, user_id: str | None = None, project_ids: set[str] | None = None) -> list[Held]:
    """Return what the assignments mean for each user, every role once for each user and place.

    ``user_id`` and ``project_ids`` narrow what groups and inherited assignments are opened to. A fixed number of queries.
    """
    rows = list(rows)
    members = _members({row.group_id for row in rows if row.group_id}, user_id)
    places = _Places(rows, project_ids)
    table = holdings.implications()
    found: dict[tuple[str, str, str], Held] = {}
    for row in rows:
        for user in [row.user] if row.user is not None else members.get(row.group_id, []):
            for project in places.of(row):
                base = Held(row, row.role, user, row.group, project)
                for held in _implied(base, table):
                    key = (str(user.pk), held.place_id, str(held.role.pk))
                    if key not in found or (found[key].prior is not None and held.prior is None):
                        found[key] = held
    return list(found.values())


def _implied(base: Held, table: contexts.Implications) -> Iterator[Held]:
    for role in contexts.expand([base.role], table):
        yield base if role.pk == base.role.pk else replace(base, role=role, prior=base.role)


def _members(group_ids: set[str | None], user_id: str | None) -> dict[str | None, list[User]]:
    rows = Membership.objects.filter(group_id__in=group_ids).select_related("user__domain").order_by("pk")
    if user_id is not None:
        rows = rows.filter(user_id=user_id)
    found: dict[str | None, list[User]] = {}
    for row in rows:
        found.setdefault(row.group_id, []).append(row.user)
    return found


class _Places:
    """Opens inherited assignments to the projects on which they act."""

    def __init__(self, rows: list[Assignment], project_ids: set[str] | None) -> None:
        inherited = [row for row in rows if row.inherited]
        above = {row.project_id for row in inherited if row.project_id}
        domains = {row.domain_id for row in inherited if row.domain_id}
        links = list(Ancestor.objects.filter(above_id__in=above).values_list("above_id", "project_id")) if above else []
        where = Q(pk__in={below for _above, below in links}) | Q(domain_id__in=domains)
        projects = Project.objects.filter(where).select_related("domain") if inherited else Project.objects.none()
        if project_ids is not None:
            projects = projects.filter(pk__in=project_ids)
        known = {project.pk: project for project in projects}
        self._below: dict[str | None, list[Project]] = {}
        for above_id, below_id in links:
            if below_id in known:
                self._below.setdefault(above_id, []).append(known[below_id])
        for project in known.values():
            if project.domain_id in domains:
                self._below.setdefault(project.domain_id, []).append(project)

    def of(self, row: Assignment) -> list[Project | None]:
        """Return the projects on which an assignment acts; a None stands for its domain or the system."""
        if not row.inherited:
            return [row.project]
        return list(self._below.get(row.project_id or row.domain_id, []))
