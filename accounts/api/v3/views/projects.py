"""/v3/projects and /v3/domains"""

from typing import Any

from accounts import selectors
from accounts.api.v3 import presenters
from accounts.api.v3.filters import narrow
from accounts.api.v3.serializers import DomainShape, ProjectShape
from accounts.api.v3.views.base import CollectionView, MemberView
from accounts.models import Domain, Project
from accounts.services import domains, projects


class ProjectsView(CollectionView):
    """GET and POST /v3/projects"""

    singular, plural, shape = "project", "projects", ProjectShape
    present, create = presenters.project, projects.create

    def rows(self) -> Any:
        params = self.request.GET
        rows = narrow(selectors.projects_visible(self.ctx), params, "name", "domain_id", flags=("enabled", "is_domain"))
        above = params.get("parent_id")
        if above is None:
            return rows
        return rows.filter(parent_id=above) | rows.filter(parent_id=None, domain_id=above)


class ProjectView(MemberView):
    """GET, PATCH and DELETE /v3/projects/{id}"""

    model, singular, shape, present = Project, "project", ProjectShape, presenters.project
    find, update, delete_row = selectors.get_project, projects.update, projects.delete


class DomainsView(CollectionView):
    """GET and POST /v3/domains"""

    singular, plural, shape = "domain", "domains", DomainShape
    present, create = presenters.domain, domains.create

    def rows(self) -> Any:
        return narrow(selectors.domains_visible(self.ctx), self.request.GET, "name", flags=("enabled",))


class DomainView(MemberView):
    """GET, PATCH and DELETE /v3/domains/{id}"""

    model, singular, shape, present = Domain, "domain", DomainShape, presenters.domain
    find, update, delete_row = selectors.get_domain, domains.update, domains.delete
