"""What other services tell of servers and ask of hosts (compute API reference, "Create external events", "Assisted volume snapshots")."""

from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies
from compute.api.v2_1.base import ComputeView
from compute.api.v2_1.serializers import external_events as bodies
from compute.api.v2_1.serializers.base import read
from compute.services import external_events
from compute.services.external_events import Event, Outcome
from portal.core.api import codec
from portal.core.errors import BadRequest
from portal.core.policy import authorize


class ExternalEventsView(ComputeView):
    """POST /os-server-external-events: 207 when some of the events led to nothing."""

    def post(self, request: Request) -> Response:
        told = read(bodies.Events, request.data, self.version)["events"]
        events = [Event(each["server_uuid"], each["name"], each.get("tag")) for each in told]
        outcomes = external_events.take(ctx=self.ctx, events=events)
        shown = [
            {**each, "status": "completed" if outcome == Outcome.DONE else "failed", "code": int(outcome)}
            for each, outcome in zip(told, outcomes, strict=True)
        ]
        return Response({"events": shown}, status=200 if set(outcomes) == {Outcome.DONE} else 207)


class AssistedSnapshotsView(ComputeView):
    """POST /os-assisted-volume-snapshots: no server of this cloud has a volume."""

    def post(self, request: Request) -> Response:
        body = read(bodies.AssistedSnapshot, request.data, self.version)["snapshot"]
        authorize(self.ctx, policies.ASSISTED_SNAPSHOT_CREATE)
        raise _no_volume(body["volume_id"])


class AssistedSnapshotView(ComputeView):
    """DELETE /os-assisted-volume-snapshots/{id}"""

    def delete(self, request: Request, snapshot_id: str) -> Response:
        authorize(self.ctx, policies.ASSISTED_SNAPSHOT_DELETE)
        info = codec.loads(self.params.get("delete_info", "").encode())
        if not isinstance(info, dict) or not isinstance(info.get("volume_id"), str):
            raise BadRequest("delete_info must be a JSON object with a volume_id.")
        raise _no_volume(info["volume_id"])


def _no_volume(volume_id: str) -> BadRequest:
    return BadRequest(f"No volume Block Device Mapping with id {volume_id[:64]}.")
