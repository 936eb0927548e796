"""Tags of projects and domains: set, added, removed."""

from typing import Any

from accounts import policies, selectors
from accounts.models import Domain, Project
from accounts.services.writing import conflict, refuse_immutable, storing
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from portal.core.policy import authorize

MAX_TAGS = 80


def put(*, ctx: RequestContext, obj: Project | Domain, tags: list[str]) -> None:
    """Let a project or domain have just these tags."""
    authorize(ctx, policies.UPDATE_PROJECT_TAGS if tags else policies.DELETE_PROJECT_TAGS, obj)
    refuse_immutable(_kind(obj), obj, "update")
    with storing(conflict("project tags", "they were changed at the same time")):
        replace(obj, tags)


def add(*, ctx: RequestContext, obj: Project | Domain, tag: str) -> None:
    """Add a tag; once more changes nothing."""
    authorize(ctx, policies.CREATE_PROJECT_TAG, obj)
    refuse_immutable(_kind(obj), obj, "update")
    if obj.tags.exclude(name=tag).count() >= MAX_TAGS:
        raise BadRequest(f"A {_kind(obj)} can have {MAX_TAGS} tags.")
    obj.tags.get_or_create(name=tag)


def remove(*, ctx: RequestContext, obj: Project | Domain, tag: str) -> None:
    """Take a tag off; raises NotFound when there is none such."""
    authorize(ctx, policies.DELETE_PROJECT_TAG, obj)
    refuse_immutable(_kind(obj), obj, "update")
    if not obj.tags.filter(name=tag).delete()[0]:
        raise selectors.no_tag(tag)


def replace(obj: Project | Domain, tags: list[str]) -> None:
    """Write just these tags, asking no rule: for services that change what bears them."""
    here: Any = obj.tags
    here.exclude(name__in=tags).delete()
    here.bulk_create([here.model(**{_kind(obj): obj}, name=tag) for tag in tags], ignore_conflicts=True)


def _kind(obj: Project | Domain) -> str:
    return str(obj._meta.model_name)
