"""What sharing an image with a person or a project gives, level by level. Members of the Image API are another matter."""

from accounts.models.share import Level
from accounts.services import shares
from images import policies
from images.models import Image


def declare() -> None:
    """Make images shareable."""
    shares.declare(
        Image,
        policies.SHARE_IMAGE,
        {
            Level.READER: (policies.GET_IMAGE,),
            Level.USER: (policies.DOWNLOAD_IMAGE,),
            Level.MANAGER: (policies.MODIFY_IMAGE, policies.DELETE_IMAGE, policies.SHARE_IMAGE),
        },
    )
