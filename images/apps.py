"""Images as a Django app."""

from django.apps import AppConfig


class ImagesConfig(AppConfig):
    name = "images"

    def ready(self) -> None:
        from images.services import limits, sharing  # noqa: F401  limits declares the quotas of this service

        sharing.declare()
