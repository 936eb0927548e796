"""Sharing: the owner names projects, each of them accepts or rejects.

Follows the Image API reference, "Sharing".
"""

from django.db import IntegrityError, transaction
from django.utils import timezone

from images import policies
from images.models import Image, ImageMember
from images.states import MemberStatus, Visibility
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, Forbidden, TooLarge
from portal.core.policy import authorize

MAX_MEMBERS = 128


def add(*, ctx: RequestContext, image: Image, member: str) -> ImageMember:
    """Share an image with a project."""
    if image.visibility != Visibility.SHARED:
        raise Forbidden("Only shared images have members.")
    authorize(ctx, policies.ADD_MEMBER, image)
    if not member or len(member) > 64 or not member.isprintable() or "/" in member:
        raise BadRequest("The member must be the id of a project.")
    with transaction.atomic():
        Image.objects.select_for_update().get(pk=image.pk)
        if ImageMember.objects.filter(image=image).count() >= MAX_MEMBERS:
            raise TooLarge(f"The limit has been exceeded on the number of allowed image members. Maximum: {MAX_MEMBERS}")
        try:
            with transaction.atomic():
                return ImageMember.objects.create(image=image, member=member)
        except IntegrityError as error:
            raise Conflict(f"Image member {member} already exists for image {image.pk}.") from error


def answer(*, ctx: RequestContext, row: ImageMember, status: str) -> ImageMember:
    """Note what a project says to an image that is shared with it; only that project may."""
    if status not in list(MemberStatus):
        raise BadRequest(f"Invalid member status: it must be one of {', '.join(MemberStatus)}.")
    authorize(ctx, policies.MODIFY_MEMBER, row)
    now = timezone.now()
    ImageMember.objects.filter(pk=row.pk).update(status=status, updated_at=now)
    row.status, row.updated_at = status, now
    return row


def remove(*, ctx: RequestContext, image: Image, row: ImageMember) -> None:
    """Stop sharing an image with a project."""
    if image.visibility != Visibility.SHARED:
        raise Forbidden("Only shared images have members.")
    authorize(ctx, policies.DELETE_MEMBER, image)
    row.delete()
