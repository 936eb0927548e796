"""Rows behind the caller of the kit: whoever opened a console by its token is looked up anew, again and again."""

from accounts.models import Project
from portal.core.context import RequestContext
from tests.accounts.factories import AssignmentFactory, UserFactory


def holding(ctx: RequestContext) -> None:
    """Make the caller's user, and his role in his project."""
    project = Project.objects.get(pk=ctx.project_id)
    AssignmentFactory(user=UserFactory(pk=ctx.user_id), role__name="member", project=project)
