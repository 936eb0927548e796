"""Images as a Django app."""

from django.apps import AppConfig


class ImagesConfig(AppConfig):
    name = "images"

    def ready(self) -> None:
        from images.services import limits, sharing

        limits.declare()
        sharing.declare()
