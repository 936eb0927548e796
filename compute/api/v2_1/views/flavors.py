"""Flavors, their extra specs and who may use them (compute API reference, "Flavors")."""

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies, selectors
from compute.api.v2_1 import patterns, versions
from compute.api.v2_1.base import PAGING, ComputeView, ordering, truth
from compute.api.v2_1.presenters import flavors as present
from compute.api.v2_1.serializers import flavors as bodies
from compute.api.v2_1.serializers.base import read
from compute.models import Flavor, FlavorAccess
from compute.services import flavors
from compute.virt import hardware
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import Rule, allowed, authorize

_COLUMNS = {
    "created_at": "created_at",
    "description": "description",
    "disabled": "disabled",
    "ephemeral_gb": "ephemeral_gb",
    "flavorid": "flavor_id",
    "id": "pk",
    "is_public": "is_public",
    "memory_mb": "ram_mb",
    "name": "name",
    "root_gb": "root_gb",
    "rxtx_factor": "rxtx_factor",
    "swap": "swap_mb",
    "vcpus": "vcpus",
}
_SORTABLE = {key: column for key, column in _COLUMNS.items() if key not in ("description",)}
_SORTABLE_LATER = {key: column for key, column in _SORTABLE.items() if key != "rxtx_factor"}


class _FlavorsBase(ComputeView):
    query: ClassVar[frozenset[str] | None] = PAGING | {"is_public", "minRam", "minDisk", "sort_key", "sort_dir"}

    @property
    def named(self) -> bool:
        """Whether a list can be narrowed by name, from 2.102 on."""
        return self.version >= versions.STRICT_EVERYWHERE

    def check_query(self, request: Request, known: frozenset[str] | None) -> None:
        super().check_query(request, known | {"name"} if known is not None and self.named else known)

    def found(self) -> tuple[list[Flavor], Flavor | None]:
        """Return one page of the flavors that the query asks for."""
        rows = self._narrowed(self._of_publicity(selectors.list_flavors(self.ctx)))
        sortable = _SORTABLE_LATER if self.named else _SORTABLE
        order = ordering(self.params, sortable, [("flavor_id", False)], "pk")
        return self.page(rows, order, self._marker(rows))

    def _of_publicity(self, rows: QuerySet[Flavor]) -> QuerySet[Flavor]:
        """Keep public flavors and the project's own, unless somebody who may asks for others by ``is_public``."""
        ctx, word = self.ctx, self.params.get("is_public", "true")
        if not allowed(ctx, policies.FLAVOR_ACCESS) or word.lower() == "none":
            return rows
        if truth(word, "is_public"):
            return rows.filter(Q(is_public=True) | Q(accesses__project_id=ctx.project_id)).distinct()
        return rows.filter(is_public=False)

    def _narrowed(self, rows: QuerySet[Flavor]) -> QuerySet[Flavor]:
        for name, column in (("minRam", "ram_mb"), ("minDisk", "root_gb")):
            word = self.params.get(name)
            if word is None:
                continue
            if not word.isascii() or not word.isdigit() or len(word) > 10:
                raise BadRequest(f"Invalid {name} filter [{word[:50]}]")
            rows = rows.filter(**{f"{column}__gte": min(int(word), bodies.BIGGEST)})
        if self.named and "name" in self.params:
            names = patterns.matching(str(self.params["name"]), rows.order_by().values_list("name", flat=True))
            return rows.filter(name__in=names)
        return rows

    def _marker(self, rows: QuerySet[Flavor]) -> Flavor | None:
        word = self.params.get("marker")
        if word is None:
            return None
        found = rows.filter(flavor_id=word).first()
        if found is None:
            raise BadRequest(f"marker [{word[:50]}] not found")
        return found

    def with_specs(self) -> bool:
        return allowed(self.ctx, policies.EXTRA_SPECS_INDEX)

    def collection(self, shown: list[dict[str, Any]], last: Flavor | None) -> Response:
        body: dict[str, Any] = {"flavors": shown}
        if last is not None:
            body["flavors_links"] = self.next_links(last.flavor_id)
        return Response(body)


class FlavorsView(_FlavorsBase):
    """GET and POST /flavors."""

    def get(self, request: Request) -> Response:
        rows, last = self.found()
        addresses = self.addresses
        return self.collection([present.brief(row, addresses, self.version) for row in rows], last)

    def post(self, request: Request) -> Response:
        body = read(bodies.FlavorCreate, request.data, self.version)["flavor"]
        flavor = flavors.create(
            ctx=self.ctx,
            name=body["name"],
            flavor_id=body.get("id"),
            vcpus=body["vcpus"],
            ram_mb=body["ram"],
            root_gb=body["disk"],
            ephemeral_gb=body.get("OS-FLV-EXT-DATA:ephemeral", 0),
            swap_mb=body.get("swap", 0),
            rxtx_factor=body.get("rxtx_factor", 1.0),
            is_public=body.get("os-flavor-access:is_public", True),
            description=body.get("description"),
        )
        shown = present.detail(flavor, self.addresses, self.version, with_specs=self.with_specs())
        return Response({"flavor": shown})


class FlavorsDetailView(_FlavorsBase):
    """GET /flavors/detail."""

    def get(self, request: Request) -> Response:
        rows, last = self.found()
        addresses, with_specs = self.addresses, self.with_specs()
        return self.collection([present.detail(row, addresses, self.version, with_specs=with_specs) for row in rows], last)


class FlavorView(_FlavorsBase):
    """GET, PUT (from 2.55) and DELETE /flavors/{id}."""

    query = None

    def get(self, request: Request, flavor_id: str) -> Response:
        return self._shown(selectors.get_flavor(self.ctx, flavor_id))

    def put(self, request: Request, flavor_id: str) -> Response:
        if self.version < versions.FLAVOR_DESCRIPTION:
            raise NotFound("Resource", "", "The resource could not be found.")
        body = read(bodies.FlavorUpdate, request.data, self.version)["flavor"]
        flavor = selectors.get_flavor(self.ctx, flavor_id)
        return self._shown(flavors.update(ctx=self.ctx, flavor=flavor, description=body["description"]))

    def delete(self, request: Request, flavor_id: str) -> Response:
        flavors.delete(ctx=self.ctx, flavor=selectors.get_flavor(self.ctx, flavor_id))
        return Response(status=202)

    def _shown(self, flavor: Flavor) -> Response:
        return Response({"flavor": present.detail(flavor, self.addresses, self.version, with_specs=self.with_specs())})


class FlavorActionView(ComputeView):
    """POST /flavors/{id}/action: give a flavor to a project, or take it away."""

    def post(self, request: Request, flavor_id: str) -> Response:
        body: Any = request.data
        name = next(iter(body), "") if isinstance(body, dict) and len(body) == 1 else ""
        change = {"addTenantAccess": self._add, "removeTenantAccess": self._remove}.get(name)
        if change is None:
            raise BadRequest(f"There is no such action: {str(name)[:50]}")
        flavor, rows = change(flavor_id, read(bodies.TenantBody, body[name], self.version)["tenant"])
        return Response(present.access(flavor, [row.project_id for row in rows]))

    def _add(self, flavor_id: str, project_id: str) -> tuple[Flavor, list[FlavorAccess]]:
        """From 2.7 on a public flavor is refused: everybody may use it anyway."""
        flavor = self._found(flavor_id, policies.FLAVOR_ACCESS_ADD)
        public_too = self.version < versions.PUBLIC_ACCESS_REFUSED
        return flavor, flavors.add_access(ctx=self.ctx, flavor=flavor, project_id=project_id, public_too=public_too)

    def _remove(self, flavor_id: str, project_id: str) -> tuple[Flavor, list[FlavorAccess]]:
        flavor = self._found(flavor_id, policies.FLAVOR_ACCESS_REMOVE)
        return flavor, flavors.remove_access(ctx=self.ctx, flavor=flavor, project_id=project_id)

    def _found(self, flavor_id: str, rule: Rule) -> Flavor:
        """Ask the rule before the flavor is looked for: whoever may not change its access often cannot see it."""
        authorize(self.ctx, rule)
        return selectors.get_flavor(self.ctx, flavor_id)


class FlavorAccessView(ComputeView):
    """GET /flavors/{id}/os-flavor-access."""

    def get(self, request: Request, flavor_id: str) -> Response:
        authorize(self.ctx, policies.FLAVOR_ACCESS)
        flavor = selectors.get_flavor(self.ctx, flavor_id)
        rows = flavors.access_of(ctx=self.ctx, flavor=flavor)
        return Response(present.access(flavor, [row.project_id for row in rows]))


class _ExtraSpecsBase(ComputeView):
    def check(self, specs: dict[str, str]) -> None:
        """Refuse, from 2.86 on, what a spec of a known namespace cannot say."""
        if self.version >= versions.EXTRA_SPECS_CHECKED:
            try:
                for name, value in specs.items():
                    hardware.check_spec(name, value)
            except hardware.Refused as error:
                raise BadRequest(f"Validation failed; {error}") from error


class ExtraSpecsView(_ExtraSpecsBase):
    """GET and POST /flavors/{id}/os-extra_specs."""

    def get(self, request: Request, flavor_id: str) -> Response:
        flavor = selectors.get_flavor(self.ctx, flavor_id)
        authorize(self.ctx, policies.EXTRA_SPECS_INDEX)
        return Response({"extra_specs": flavor.extra_specs})

    def post(self, request: Request, flavor_id: str) -> Response:
        specs = read(bodies.ExtraSpecs, request.data, self.version)["extra_specs"]
        self.check(specs)
        flavor = selectors.get_flavor(self.ctx, flavor_id)
        flavors.set_extra_specs(ctx=self.ctx, flavor=flavor, extra_specs=specs)
        return Response({"extra_specs": specs})


class ExtraSpecView(_ExtraSpecsBase):
    """GET, PUT and DELETE /flavors/{id}/os-extra_specs/{key}."""

    def get(self, request: Request, flavor_id: str, key: str) -> Response:
        flavor = selectors.get_flavor(self.ctx, flavor_id)
        authorize(self.ctx, policies.EXTRA_SPECS_SHOW)
        if key not in flavor.extra_specs:
            raise NotFound("Extra spec", key, f"Flavor {flavor_id} has no extra specs with key {key}.")
        return Response({key: flavor.extra_specs[key]})

    def put(self, request: Request, flavor_id: str, key: str) -> Response:
        body = request.data
        if not isinstance(body, dict) or list(body) != [key]:
            raise BadRequest("Request body and URI mismatch")
        specs = bodies.SpecsField().run_validation(body)
        self.check(specs)
        flavor = selectors.get_flavor(self.ctx, flavor_id)
        flavors.set_extra_specs(ctx=self.ctx, flavor=flavor, extra_specs=specs)
        return Response(specs)

    def delete(self, request: Request, flavor_id: str, key: str) -> Response:
        flavor = selectors.get_flavor(self.ctx, flavor_id)
        flavors.delete_extra_spec(ctx=self.ctx, flavor=flavor, key=key)
        return Response(status=200)
