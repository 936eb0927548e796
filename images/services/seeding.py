"""The first images: what a fresh cloud offers, registered once and again only when their bytes changed.

An image has a tag until all is done for it. One that a killed process left with it is made anew, or what was still to do is done.
"""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction

from images.models import Image, ImageTag
from images.services import data, registry
from images.states import ImageStatus, Visibility
from portal.core.context import RequestContext

LOG = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 20
UNFINISHED = "being-seeded"


@dataclass(frozen=True)
class SeedImage:
    """An image to be offered to everybody. ``links`` name other seed images whose ids become properties."""

    name: str
    file: Path
    disk_format: str
    container_format: str
    min_ram: int = 0
    properties: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


def seed(*, ctx: RequestContext, owner: str, wanted: list[SeedImage]) -> list[Image]:
    """Register the images that are missing and return those that are new; earlier ones of the same name are hidden."""
    present: dict[str, Image] = {}
    new = []
    for item in wanted:
        digest = _digest(item.file)
        _throw_away_parts(ctx, owner, item.name)
        image = _find(owner, item.name, digest)
        if image is None:
            image = _register(ctx, owner, item, present)
            new.append(image)
        _finish(owner, image)
        present[item.name] = image
    return new


def _find(owner: str, name: str, digest: str) -> Image | None:
    rows = Image.objects.filter(owner=owner, name=name, status=ImageStatus.ACTIVE)
    return rows.filter(os_hash_algo="sha512", os_hash_value=digest).first()


def _throw_away_parts(ctx: RequestContext, owner: str, name: str) -> None:
    """Delete images that a killed process left without all of their bytes, and what it had written."""
    rows = Image.objects.present().filter(owner=owner, name=name, tags__name=UNFINISHED)
    for image in rows.filter(status__in=(ImageStatus.QUEUED, ImageStatus.SAVING)):
        data.reclaim(image)
        registry.delete(ctx=ctx, image=image)


def _register(ctx: RequestContext, owner: str, item: SeedImage, present: dict[str, Image]) -> Image:
    wanted = {
        "name": item.name,
        "owner": owner,
        "visibility": Visibility.PUBLIC.value,
        "disk_format": item.disk_format,
        "container_format": item.container_format,
        "min_ram": item.min_ram,
        **item.properties,
        **{name: present[other].pk for name, other in item.links.items()},
        "tags": [UNFINISHED],
    }
    image = registry.create(ctx=ctx, wanted=wanted)
    try:
        _fill(ctx, image, item.file)
    except BaseException:
        registry.delete(ctx=ctx, image=image)
        raise
    return registry.reread(image)


def _fill(ctx: RequestContext, image: Image, file: Path) -> None:
    upload = data.begin_upload(ctx=ctx, image_id=image.pk, length=file.stat().st_size)
    ingest = data.open_ingest(upload)
    try:
        for chunk in _chunks(file):
            ingest.count(len(chunk))
            for job in ingest.jobs(chunk):
                job()
        data.finish_upload(upload, ingest.conclude())
    except BaseException as error:
        ingest.abort()
        data.abort_upload(upload, str(error))
        raise


@transaction.atomic
def _finish(owner: str, image: Image) -> None:
    """Let a new image take the place of the older ones; of one that has it nothing is changed."""
    if ImageTag.objects.filter(image=image, name=UNFINISHED).delete()[0]:
        Image.objects.present().filter(owner=owner, name=image.name).exclude(pk=image.pk).update(os_hidden=True)


def _digest(file: Path) -> str:
    digest = hashlib.sha512()
    for chunk in _chunks(file):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            yield chunk
