"""Tags of projects, and of domains, which stand at the address of a project as well."""

from collections.abc import Mapping
from typing import TypeVar

from django.db.models import Count, QuerySet

from accounts import policies
from accounts.models import Domain, Project
from accounts.selectors.finding import find, get_allowed
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import Rule

T = TypeVar("T", Project, Domain)


def acts_as_domain(key: str) -> bool:
    """Return whether what stands at the address of a project is a domain."""
    return "\x00" not in key and Domain.objects.filter(pk=key).exists()


def find_tagged(ctx: RequestContext, key: str) -> Project | Domain:
    """Return the project or domain for a service to judge; that it is missing is told only to who may see such things."""
    try:
        return find(_model(key), "project", key)
    except NotFound:
        return _tagged(ctx, policies.GET_PROJECT, key)


def tags_of(ctx: RequestContext, key: str) -> list[str]:
    """Return the tags of a project or domain, in order."""
    return [tag.name for tag in _tagged(ctx, policies.LIST_PROJECT_TAGS, key).tags.all()]


def check_tag(ctx: RequestContext, key: str, tag: str) -> None:
    """Return when a project or domain has a tag; raises NotFound otherwise."""
    if not _tagged(ctx, policies.GET_PROJECT_TAG, key).tags.filter(name=tag).exists():
        raise no_tag(tag)


def no_tag(tag: str) -> NotFound:
    """Return the sentence for a tag that a project does not have."""
    return NotFound("project tag", tag, f"Could not find project tag: {tag}.")


def tagged(rows: QuerySet[T], params: Mapping[str, str]) -> QuerySet[T]:
    """Keep the rows with all, any, not all or none of some tags (Identity v3, "Project tags")."""
    for parameter in ("tags", "tags-any", "not-tags", "not-tags-any"):
        names = [name for name in params.get(parameter, "").split(",") if name]
        if not names:
            continue
        having = rows.model._default_manager.filter(tags__name__in=names).order_by()
        if not parameter.endswith("any"):
            having = having.annotate(matching=Count("tags")).filter(matching=len(set(names)))
        found = having.values("pk")
        rows = rows.exclude(pk__in=found) if parameter.startswith("not") else rows.filter(pk__in=found)
    return rows.prefetch_related("tags")


def _tagged(ctx: RequestContext, rule: Rule, key: str) -> Project | Domain:
    return get_allowed(ctx, rule, _model(key), "project", key)


def _model(key: str) -> type[Project] | type[Domain]:
    return Domain if acts_as_domain(key) else Project
