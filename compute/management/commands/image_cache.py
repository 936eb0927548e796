"""``manage.py image_cache list|warm|evict``: the images in the caches of compute hosts."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compute import selectors
from compute.models import HostImage
from compute.services import image_cache
from images.models import Image
from portal.core.context import RequestContext, new_request_id
from portal.core.errors import CloudError

MB = 1_000_000
_COLUMNS = "{:<24} {:<36} {:<7} {:>10} {:>5}  {}"


class Command(BaseCommand):
    help = "See and change which images lie in the caches of compute hosts."

    def add_arguments(self, parser: Any) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        for verb, summary in (
            ("list", "Which hosts have which images, and which were asked for."),
            ("warm", "Have hosts fetch an image before a server wants it."),
            ("evict", "Have hosts remove an image that no server's disk uses."),
        ):
            words: ArgumentParser = verbs.add_parser(verb, help=summary, description=summary)
            words.add_argument("image", nargs="?" if verb == "list" else None, help="name or id of an image")
            words.add_argument("--host", help="only this host")
            if verb == "list":
                words.add_argument("--json", action="store_true", help="a JSON list instead of columns")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            getattr(self, f"do_{verb}")(RequestContext.for_conductor(new_request_id()), **options)
        except CloudError as error:
            raise CommandError(error.message) from error

    def do_list(self, ctx: RequestContext, *, image: str | None, host: str | None, json: bool, **options: Any) -> None:
        """Print one line for each image on each host."""
        rows = selectors.host_images(ctx)
        if image:
            rows = rows.filter(image_id=_id_of(image))
        if host:
            rows = rows.filter(host__name=host)
        self.stdout.write(_as_json(rows) if json else _as_columns(rows))

    def do_warm(self, ctx: RequestContext, *, image: str, host: str | None, **options: Any) -> None:
        """Print which hosts were asked."""
        found = Image.objects.present().filter(pk=_id_of(image)).first()
        if found is None:
            raise CommandError(f"There is no image {image}.")
        asked = image_cache.warm(ctx=ctx, image=found, host=host)
        self.stdout.write(f"Asked to fetch it: {', '.join(asked)}." if asked else "Every host has it already.")

    def do_evict(self, ctx: RequestContext, *, image: str, host: str | None, **options: Any) -> None:
        """Print which hosts were asked."""
        asked = image_cache.evict(ctx=ctx, image_id=_id_of(image), host=host)
        self.stdout.write(f"Asked to remove it: {', '.join(asked)}." if asked else "No host has it.")


def _id_of(image: str) -> str:
    """Return the id of the image that a person named; a deleted one that hosts still have is named by its id."""
    if Image.objects.filter(pk=image).exists() or HostImage.objects.filter(image_id=image).exists():
        return image
    named = list(Image.objects.present().filter(name=image).values_list("pk", flat=True)[:2])
    if not named:
        raise CommandError(f"There is no image {image}.")
    if len(named) > 1:
        raise CommandError(f"Several images are named {image}: give the id.")
    return named[0]


def _as_columns(rows: Any) -> str:
    lines = [_COLUMNS.format("HOST", "IMAGE", "STATE", "MB", "DISKS", "LAST USED")]
    for row in rows:
        used = f"{row.used_at:%Y-%m-%d %H:%M}" if row.used_at else row.fault
        lines.append(
            _COLUMNS.format(row.host.name, row.image_id, row.state, f"{row.size_bytes / MB:.1f}", row.disks, used).rstrip()
        )
    return "\n".join(lines)


def _as_json(rows: Any) -> str:
    fields = ("image_id", "state", "size_bytes", "disks", "fetched_at", "used_at", "fault")
    entries = [{"host": row.host.name, **{name: getattr(row, name) for name in fields}} for row in rows]
    return json.dumps(entries, indent=2, default=lambda at: at.isoformat())
