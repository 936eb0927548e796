"""/v3/projects/{id}/tags, of domains at the address of a project too"""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.api.v3.serializers import TagName, Tags
from accounts.api.v3.views.base import IdentityView
from accounts.services import tags


class ProjectTagsView(IdentityView):
    """GET, PUT and DELETE /v3/projects/{id}/tags"""

    def get(self, request: Request, project: str) -> Response:
        return self.enveloped({"tags": selectors.tags_of(self.ctx, project)})

    def put(self, request: Request, project: str) -> Response:
        form = Tags(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data["tags"]
        tags.put(ctx=self.ctx, obj=selectors.find_tagged(self.ctx, project), tags=wanted)
        return self.enveloped({"tags": sorted(set(wanted))})

    def delete(self, request: Request, project: str) -> Response:
        tags.put(ctx=self.ctx, obj=selectors.find_tagged(self.ctx, project), tags=[])
        return Response(status=204)


class ProjectTagView(IdentityView):
    """GET, HEAD, PUT and DELETE /v3/projects/{id}/tags/{tag}"""

    def get(self, request: Request, project: str, tag: str) -> Response:
        selectors.check_tag(self.ctx, project, tag)
        return Response(status=204)

    def put(self, request: Request, project: str, tag: str) -> Response:
        tags.add(ctx=self.ctx, obj=selectors.find_tagged(self.ctx, project), tag=TagName().run_validation(tag))
        response = Response(status=201)
        response["Location"] = self.link(f"projects/{project}/tags/{tag}")
        return response

    def delete(self, request: Request, project: str, tag: str) -> Response:
        tags.remove(ctx=self.ctx, obj=selectors.find_tagged(self.ctx, project), tag=tag)
        return Response(status=204)
