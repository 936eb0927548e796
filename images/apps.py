"""Images as a Django app."""

from django.apps import AppConfig


class ImagesConfig(AppConfig):
    name = "images"

    def ready(self) -> None:
        from images.services import limits  # noqa: F401  declares the quotas of this service
