"""Properties that an operator puts on what people bring in, except where one of their roles is trusted."""

import logging
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction

from images.models import Image, ImageProperty

LOG = logging.getLogger(__name__)


def properties_for(roles: Iterable[str]) -> dict[str, str]:
    """Return the properties that an image of somebody with these roles gets."""
    if set(roles) & set(settings.IMAGE_INJECT_IGNORED_ROLES):
        return {}
    return dict(settings.IMAGE_INJECT_PROPERTIES)


@transaction.atomic
def inject(*, image: Image, roles: Iterable[str]) -> None:
    """Put the operator's properties on an image; what people wrote under the same names gives way."""
    wanted = properties_for(roles)
    for name, value in wanted.items():
        ImageProperty.objects.update_or_create(image=image, name=name, defaults={"value": value})
    if wanted:
        LOG.info("Image %s was given the properties %s", image.pk, ", ".join(sorted(wanted)))
