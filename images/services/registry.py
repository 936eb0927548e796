"""The registry: records of images are made, changed and deleted here.

Follows the Image API reference, "Images". Bytes are the business of ``services.data``.
"""

import logging
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.services import shares
from images import policies
from images.models import Image, ImageLocation, ImageProperty, ImageTag
from images.services import attributes, limits, locations, patches, placements, protections, staging, tasks
from images.services.patches import Change, Draft
from images.states import ImageStatus, Visibility
from portal.core.context import RequestContext
from portal.core.errors import Conflict, Forbidden, NotFound, TooLarge
from portal.core.policy import authorize

LOG = logging.getLogger(__name__)


def create(*, ctx: RequestContext, wanted: Mapping[str, Any]) -> Image:
    """Register an image without bytes; ``wanted`` is the API's flat object, custom properties beside the standard ones."""
    for name in wanted:
        attributes.require_writable(name)
    values = {name: attributes.checked(name, value) for name, value in wanted.items()}
    owner = values.get("owner", ctx.project_id)
    if (owner is None or owner != ctx.project_id) and not ctx.is_operator:
        raise Forbidden(_("You are not permitted to create images owned by '%(owner)s'.") % {"owner": owner})
    fields = {name: value for name, value in values.items() if name in attributes.BASE - {"tags", "owner"}}
    custom = {name: value for name, value in values.items() if name not in attributes.BASE}
    image = Image(owner=owner, **fields)
    authorize(ctx, policies.ADD_IMAGE, image)
    _authorize_visibility(ctx, image, image.visibility)
    attributes.require_known_formats(image.disk_format, image.container_format)
    attributes.require_few(custom, values.get("tags", []))
    protections.authorize(ctx, "create", custom)
    with transaction.atomic():
        limits.admit_image(owner)
        _insert(image)
        _write_details(image, custom, values.get("tags", []))
    LOG.info("Image %s (%s) is registered for project %s", image.pk, image.name, owner)
    return reread(image)


def update(*, ctx: RequestContext, image: Image, changes: list[Change]) -> Image:
    """Apply the operations of a JSON patch, all or none."""
    authorize(ctx, policies.MODIFY_IMAGE, image)
    moves = [change for change in changes if change.name == patches.LOCATIONS]
    changes = [change for change in changes if change.name != patches.LOCATIONS]
    size = placements.measure(ctx=ctx, image=image, changes=moves)
    with transaction.atomic():
        locked = Image.objects.select_for_update().present().with_details().filter(pk=image.pk).first()
        if locked is None:
            raise NotFound("Image", image.pk, _("No image found with ID %(id)s") % {"id": image.pk})
        before = Draft.of(locked)
        after = patches.apply(before, changes, queued=locked.status == ImageStatus.QUEUED)
        _check_draft(ctx, locked, before, after)
        Image.objects.filter(pk=locked.pk).update(**after.fields, updated_at=timezone.now())
        _write_details(locked, after.custom, after.tags)
        if moves:
            placements.patch(ctx=ctx, image=locked, changes=moves, size=size)
    LOG.info("Image %s is changed", image.pk)
    return reread(image)


def delete(*, ctx: RequestContext, image: Image) -> None:
    """Delete an image and its bytes; servers that were made from it go on living, since hosts keep their own copy."""
    authorize(ctx, policies.DELETE_IMAGE, image)
    if image.protected:
        raise _protected(image)
    with transaction.atomic():
        if not Image.objects.mark_deleted(image.pk):
            if Image.objects.present().filter(pk=image.pk).exists():
                raise _protected(image)
            raise NotFound("Image", image.pk, _("No image found with ID %(id)s") % {"id": image.pk})
        shares.forget(image)
        tasks.cancel_of(image.pk)
        locations.doom(ImageLocation.objects.filter(image=image))
        transaction.on_commit(lambda: staging.clear(image.pk))
    LOG.info("Image %s (%s) is deleted", image.pk, image.name)


def deactivate(*, ctx: RequestContext, image: Image) -> None:
    """Keep an image's bytes from being fetched until it is reactivated."""
    authorize(ctx, policies.DEACTIVATE, image)
    _switch(image, ImageStatus.ACTIVE, ImageStatus.DEACTIVATED)


def reactivate(*, ctx: RequestContext, image: Image) -> None:
    """Let a deactivated image's bytes be fetched again."""
    authorize(ctx, policies.REACTIVATE, image)
    _switch(image, ImageStatus.DEACTIVATED, ImageStatus.ACTIVE)


def add_tag(*, ctx: RequestContext, image: Image, name: str) -> None:
    """Put a tag on an image; one that is there already is a success."""
    authorize(ctx, policies.MODIFY_IMAGE, image)
    word = attributes.tag(name)
    with transaction.atomic():
        present = set(ImageTag.objects.select_for_update().filter(image=image).values_list("name", flat=True))
        if word not in present and len(present) >= attributes.MAX_TAGS:
            said = _("The limit has been exceeded on the number of allowed image tags. Maximum: %(most)s")
            raise TooLarge(said % {"most": attributes.MAX_TAGS})
        ImageTag.objects.get_or_create(image=image, name=word)
        Image.objects.filter(pk=image.pk).update(updated_at=timezone.now())


def remove_tag(*, ctx: RequestContext, image: Image, name: str) -> None:
    """Take a tag off an image; raises NotFound when it has none of that name."""
    authorize(ctx, policies.MODIFY_IMAGE, image)
    if not ImageTag.objects.filter(image=image, name=name).delete()[0]:
        raise NotFound("Tag", name, _("Image %(image)s has no tag %(name)s.") % {"image": image.pk, "name": name})
    Image.objects.filter(pk=image.pk).update(updated_at=timezone.now())


def reread(image: Image) -> Image:
    """Return the image as it is in the database now, with properties and tags."""
    fresh = Image.objects.with_details().get(pk=image.pk)
    fresh.member_id = image.member_id
    return fresh


def _insert(image: Image) -> None:
    try:
        with transaction.atomic():
            image.save(force_insert=True)
    except IntegrityError as error:
        if Image.objects.filter(pk=image.pk).exists():
            raise Conflict(_("Image ID %(id)s already exists!") % {"id": image.pk}) from error
        raise


def _check_draft(ctx: RequestContext, image: Image, before: Draft, after: Draft) -> None:
    if after.fields["visibility"] != before.fields["visibility"]:
        _authorize_visibility(ctx, image, after.fields["visibility"])
    if after.fields["owner"] != before.fields["owner"] and not ctx.is_operator:
        said = _("You are not permitted to give the image to '%(owner)s'.") % {"owner": after.fields["owner"]}
        raise Forbidden(said)
    attributes.require_known_formats(after.fields["disk_format"], after.fields["container_format"])
    attributes.require_few(after.custom, after.tags)
    protections.authorize_changes(ctx, before.custom, after.custom)


def _authorize_visibility(ctx: RequestContext, image: Image, visibility: str) -> None:
    rule = {Visibility.PUBLIC: policies.PUBLICIZE_IMAGE, Visibility.COMMUNITY: policies.COMMUNITIZE_IMAGE}.get(
        Visibility(visibility)
    )
    if rule is not None:
        authorize(ctx, rule, image)


def _write_details(image: Image, custom: Mapping[str, str], tags: list[str]) -> None:
    """Make the image's properties and tags these, touching only rows that differ."""
    present = {row.name: row for row in ImageProperty.objects.filter(image=image)}
    gone = [row.pk for name, row in present.items() if custom.get(name) != row.value]
    ImageProperty.objects.filter(pk__in=gone).delete()
    ImageProperty.objects.bulk_create(
        ImageProperty(image=image, name=name, value=value)
        for name, value in custom.items()
        if name not in present or present[name].value != value
    )
    words = set(ImageTag.objects.filter(image=image).values_list("name", flat=True))
    ImageTag.objects.filter(image=image, name__in=words - set(tags)).delete()
    ImageTag.objects.bulk_create(ImageTag(image=image, name=name) for name in tags if name not in words)


def _switch(image: Image, before: ImageStatus, after: ImageStatus) -> None:
    if Image.objects.switch(image.pk, before, after):
        LOG.info("Image %s is %s", image.pk, after)
        return
    now = Image.objects.filter(pk=image.pk).values_list("status", flat=True).first()
    if now != after:  # asking for what already is succeeds
        if after == ImageStatus.DEACTIVATED:
            said = _("Not allowed to deactivate image in status '%(status)s'")
        else:
            said = _("Not allowed to reactivate image in status '%(status)s'")
        raise Forbidden(said % {"status": now})


def _protected(image: Image) -> Forbidden:
    return Forbidden(_("Image %(id)s is protected and cannot be deleted.") % {"id": image.pk})
