"""Keypairs (compute API reference, "Keypairs")."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies, selectors
from compute.api.v2_1 import versions
from compute.api.v2_1.base import ComputeView
from compute.api.v2_1.presenters import keypairs as present
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.serializers.others import KeypairCreate
from compute.models.keypair import KeypairType
from compute.services import keypairs
from portal.core.errors import BadRequest


class _KeypairBase(ComputeView):
    query = frozenset({"user_id"})

    def user_id(self) -> str | None:
        """Return whose keypairs are meant: another user can be named from 2.10 on."""
        return self.params.get("user_id") if self.version >= versions.KEYPAIR_USER else None


class KeypairsView(_KeypairBase):
    """GET and POST /os-keypairs."""

    query = frozenset({"user_id", "limit", "marker"})

    def get(self, request: Request) -> Response:
        rows = selectors.list_keypairs(self.ctx, self.user_id())
        if self.version < versions.KEYPAIR_PAGES:
            return Response({"keypairs": [present.listed(row, self.version) for row in rows]})
        marker = None
        if "marker" in self.params:
            marker = rows.filter(name=self.params["marker"]).first()
            if marker is None:
                raise BadRequest(f"marker [{self.params['marker'][:50]}] not found")
        found, last = self.page(rows, [("name", False), ("pk", False)], marker)
        body: dict[str, Any] = {"keypairs": [present.listed(row, self.version) for row in found]}
        if last is not None:
            body["keypairs_links"] = self.next_links(last.name)
        return Response(body)

    def post(self, request: Request) -> Response:
        body = read(KeypairCreate, request.data, self.version)["keypair"]
        kind = KeypairType(body.get("type", KeypairType.SSH))
        common = {"ctx": self.ctx, "name": body["name"], "user_id": body.get("user_id"), "kind": kind}
        private_key = None
        if "public_key" in body:
            keypair = keypairs.import_(**common, public_key=body["public_key"])
        else:
            new = keypairs.create(**common)
            keypair, private_key = new.keypair, new.private_key
        status = 201 if self.version >= versions.KEYPAIR_TYPE else 200
        return Response(present.created(keypair, self.version, private_key), status=status)


class KeypairView(_KeypairBase):
    """GET and DELETE /os-keypairs/{name}."""

    def get(self, request: Request, name: str) -> Response:
        keypair = selectors.get_keypair(self.ctx, name, self.user_id())
        return Response(present.detail(keypair, self.version))

    def delete(self, request: Request, name: str) -> Response:
        keypair = selectors.get_keypair(self.ctx, name, self.user_id(), policies.KEYPAIRS_DELETE)
        keypairs.delete(ctx=self.ctx, keypair=keypair)
        return Response(status=204 if self.version >= versions.KEYPAIR_TYPE else 202)
