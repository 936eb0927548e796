"""What every view of the image service shares."""

from portal.core.api.views import CloudView


class ImageView(CloudView):
    """A view of the Image API."""

    service = "image"
