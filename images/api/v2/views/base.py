"""What every view of the image service shares."""

import logging
from typing import Any

from rest_framework.request import Request

from portal.core.api.views import CloudView

LOG = logging.getLogger("images.api")


class ImageView(CloudView):
    """A view of the Image API."""

    service = "image"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        LOG.debug("%s for %s", request.method, type(self).__name__)
        super().initial(request, *args, **kwargs)
