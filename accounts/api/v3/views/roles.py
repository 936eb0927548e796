"""/v3/roles and /v3/role_inferences"""

from itertools import groupby
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.api.v3 import presenters
from accounts.api.v3.filters import narrow
from accounts.api.v3.serializers import RoleShape
from accounts.api.v3.views.base import CollectionView, IdentityView, MemberView
from accounts.models import Role
from accounts.services import roles


class RolesView(CollectionView):
    """GET and POST /v3/roles"""

    singular, plural, shape = "role", "roles", RoleShape
    present, create = presenters.role, roles.create

    def rows(self) -> Any:
        params = self.request.GET
        return narrow(selectors.roles_visible(self.ctx, params.get("domain_id") or None), params, "name")


class RoleView(MemberView):
    """GET, PATCH and DELETE /v3/roles/{id}"""

    model, singular, shape, present = Role, "role", RoleShape, presenters.role
    find, update, delete_row = selectors.get_role, roles.update, roles.delete


class _InferenceView(IdentityView):
    def brief(self, role: Role) -> dict[str, Any]:
        """Return a role as implications show it."""
        links = {"self": self.link(f"roles/{role.pk}")}
        return {**presenters.named(role), "description": role.description, "links": links}

    def inference(self, prior: Role, implied: Any) -> dict[str, Any]:
        """Return one prior role with what it implies."""
        return {"prior_role": self.brief(prior), "implies": implied}


class ImpliesView(_InferenceView):
    """GET /v3/roles/{prior}/implies"""

    def get(self, request: Request, prior: str) -> Response:
        role = selectors.get_role(self.ctx, prior)
        implied = [self.brief(row) for row in selectors.implied_by(self.ctx, role)]
        links = {"self": self.link(f"roles/{role.pk}/implies")}
        return Response({"role_inference": self.inference(role, implied), "links": links})


class ImplicationView(_InferenceView):
    """GET, HEAD, PUT and DELETE /v3/roles/{prior}/implies/{implied}"""

    def get(self, request: Request, prior: str, implied: str) -> Response:
        first, second = selectors.implication(self.ctx, prior, implied)
        return self.told(first, second)

    def head(self, request: Request, prior: str, implied: str) -> Response:
        selectors.implication(self.ctx, prior, implied)
        return Response(status=204)

    def put(self, request: Request, prior: str, implied: str) -> Response:
        first, second = selectors.get_role(self.ctx, prior), selectors.get_role(self.ctx, implied)
        roles.imply(ctx=self.ctx, prior=first, implied=second)
        return self.told(first, second, status=201)

    def delete(self, request: Request, prior: str, implied: str) -> Response:
        first, second = selectors.get_role(self.ctx, prior), selectors.get_role(self.ctx, implied)
        roles.end_implication(ctx=self.ctx, prior=first, implied=second)
        return Response(status=204)

    def told(self, prior: Role, implied: Role, status: int = 200) -> Response:
        """Return one implication."""
        links = {"self": self.link(f"roles/{prior.pk}/implies/{implied.pk}")}
        return Response({"role_inference": self.inference(prior, self.brief(implied)), "links": links}, status=status)


class RoleInferencesView(_InferenceView):
    """GET /v3/role_inferences"""

    def get(self, request: Request) -> Response:
        rows = selectors.implications_visible(self.ctx)
        inferences = [
            self.inference(prior, [self.brief(row.implied) for row in group])
            for prior, group in groupby(rows, key=lambda row: row.prior)
        ]
        return Response({"role_inferences": inferences, "links": {"self": self.link("role_inferences")}})
