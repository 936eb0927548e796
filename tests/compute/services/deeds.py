"""What hosts tell of a server."""

from compute.messages import BuildPhase
from images.models import Image
from images.states import ImageStatus


def arrives(image_id):
    """The host's upload is over."""
    Image.objects.filter(pk=image_id).update(status=ImageStatus.ACTIVE, size=10, os_hash_algo="md5", os_hash_value="0" * 32)


def did(cloud, server, action, **more):
    """The host tells that the running operation ended."""
    cloud.tell(cloud.box.finished(cloud.fresh(server), action, **more))
    return cloud.fresh(server)


def step(cloud, server, stage, done=None, at=2_000_000_000.0):
    fresh = cloud.fresh(server)
    cloud.tell(BuildPhase("host-1", fresh.pk, fresh.request_id, stage, at, "on its way", done, 100))
