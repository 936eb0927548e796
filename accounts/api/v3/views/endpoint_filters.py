"""/v3/OS-EP-FILTER: which endpoints a project sees"""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import policies, selectors
from accounts.api.v3 import presenters
from accounts.api.v3.serializers import Name
from accounts.api.v3.views.base import CollectionView, IdentityView, MemberView
from accounts.models import Endpoint, EndpointGroup, Project
from accounts.models.catalog import Interface
from accounts.services import endpoint_filters
from portal.core.api.serializers import StrictSerializer, StrictString
from portal.core.policy import authorize


class Filters(StrictSerializer):
    service_id = StrictString(required=False, max_length=64)
    region_id = StrictString(required=False, max_length=255)
    interface = serializers.ChoiceField(choices=Interface.values, required=False)


class EndpointGroupShape(serializers.Serializer[Any]):
    name = Name()
    description = StrictString(required=False, allow_null=True, allow_blank=True)
    filters = Filters()


def endpoint_group(row: EndpointGroup, link: Any) -> dict[str, Any]:
    """Return a group of endpoints as the API shows it."""
    links = {"self": link(f"OS-EP-FILTER/endpoint_groups/{row.pk}")}
    return {**presenters.named(row), "description": row.description, "filters": row.filters, "links": links}


class EndpointGroupsView(CollectionView):
    """GET and POST /v3/OS-EP-FILTER/endpoint_groups"""

    singular, plural, shape = "endpoint_group", "endpoint_groups", EndpointGroupShape
    present, create = endpoint_group, endpoint_filters.create_group

    def rows(self) -> Any:
        rows = selectors.endpoint_groups_visible(self.ctx)
        return rows.filter(name=self.request.GET["name"]) if "name" in self.request.GET else rows


class EndpointGroupView(MemberView):
    """GET, HEAD, PATCH and DELETE /v3/OS-EP-FILTER/endpoint_groups/{id}"""

    model, singular, shape, present = EndpointGroup, "endpoint_group", EndpointGroupShape, endpoint_group
    find, update, delete_row = (
        selectors.get_endpoint_group,
        endpoint_filters.update_group,
        endpoint_filters.delete_group,
    )


class _FilterView(IdentityView):
    """Finds what the address names; the rule about the pair is asked by the service or here."""

    def group(self, key: str) -> EndpointGroup:
        """Return the group of endpoints."""
        return self.found(selectors.get_endpoint_group, EndpointGroup, "endpoint group", key)

    def project(self, key: str) -> Project:
        """Return the project."""
        return self.found(selectors.get_project, Project, "project", key)

    def endpoint(self, key: str) -> Endpoint:
        """Return the endpoint."""
        return self.found(selectors.get_endpoint, Endpoint, "endpoint", key)


class GroupEndpointsView(_FilterView):
    """GET /v3/OS-EP-FILTER/endpoint_groups/{id}/endpoints"""

    def get(self, request: Request, group: str) -> Response:
        authorize(self.ctx, policies.LIST_ENDPOINTS_OF_GROUP)
        rows = Endpoint.objects.filter(selectors.in_groups([self.group(group)]))
        return self.listed("endpoints", rows, presenters.endpoint)


class GroupProjectsView(_FilterView):
    """GET /v3/OS-EP-FILTER/endpoint_groups/{id}/projects"""

    def get(self, request: Request, group: str) -> Response:
        authorize(self.ctx, policies.LIST_PROJECTS_OF_ENDPOINT_GROUP)
        return self.listed("projects", self.group(group).projects.prefetch_related("tags"), presenters.project)


class GroupProjectView(_FilterView):
    """GET, HEAD, PUT and DELETE /v3/OS-EP-FILTER/endpoint_groups/{id}/projects/{id}"""

    def get(self, request: Request, group: str, project: str) -> Response:
        authorize(self.ctx, policies.GET_ENDPOINT_GROUP_IN_PROJECT)
        row = selectors.find_group_of_project(self.group(group), self.project(project))
        return Response({"endpoint_group": endpoint_group(row, self.link)})

    def put(self, request: Request, group: str, project: str) -> Response:
        endpoint_filters.show_group_to(ctx=self.ctx, group=self.group(group), project=self.project(project))
        return Response(status=204)

    def delete(self, request: Request, group: str, project: str) -> Response:
        endpoint_filters.hide_group_from(ctx=self.ctx, group=self.group(group), project=self.project(project))
        return Response(status=204)


class ProjectGroupsView(_FilterView):
    """GET /v3/OS-EP-FILTER/projects/{id}/endpoint_groups"""

    def get(self, request: Request, project: str) -> Response:
        authorize(self.ctx, policies.LIST_ENDPOINT_GROUPS_FOR_PROJECT)
        return self.listed("endpoint_groups", self.project(project).endpoint_groups.all(), endpoint_group)


class ProjectEndpointsView(_FilterView):
    """GET /v3/OS-EP-FILTER/projects/{id}/endpoints"""

    def get(self, request: Request, project: str) -> Response:
        authorize(self.ctx, policies.LIST_ENDPOINTS_FOR_PROJECT)
        shown = selectors.endpoints_shown(self.project(project).pk)
        rows = Endpoint.objects.filter(shown) if shown is not None else Endpoint.objects.none()
        return self.listed("endpoints", rows, presenters.endpoint)


class ProjectEndpointView(_FilterView):
    """GET, HEAD, PUT and DELETE /v3/OS-EP-FILTER/projects/{id}/endpoints/{id}"""

    def get(self, request: Request, project: str, endpoint: str) -> Response:
        endpoint_filters.check(ctx=self.ctx, endpoint=self.endpoint(endpoint), project=self.project(project))
        return Response(status=204)

    def put(self, request: Request, project: str, endpoint: str) -> Response:
        endpoint_filters.show_to(ctx=self.ctx, endpoint=self.endpoint(endpoint), project=self.project(project))
        return Response(status=204)

    def delete(self, request: Request, project: str, endpoint: str) -> Response:
        endpoint_filters.hide_from(ctx=self.ctx, endpoint=self.endpoint(endpoint), project=self.project(project))
        return Response(status=204)


class EndpointProjectsView(_FilterView):
    """GET /v3/OS-EP-FILTER/endpoints/{id}/projects"""

    def get(self, request: Request, endpoint: str) -> Response:
        authorize(self.ctx, policies.LIST_PROJECTS_FOR_ENDPOINT)
        rows = Project.objects.filter(project_endpoints__endpoint=self.endpoint(endpoint)).prefetch_related("tags")
        return self.listed("projects", rows, presenters.project)
