"""Which images a caller may see."""

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from images import policies
from images.models import Image, ImageMember
from images.models.image import ImageQuerySet
from images.narrowing import FEW, Condition, narrowed
from images.states import MemberStatus, Visibility
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import allowed
from portal.core.policy.checks import granted
from portal.core.policy.sql import Column, keep_allowed

ALL = "all"
_NOT_SHARED = [word for word in Visibility if word != Visibility.SHARED]


def _member(ctx: RequestContext) -> Q:
    """Return the condition for images that are shared with the caller's project."""
    return _shared(ImageMember.objects.filter(member=ctx.project_id))


# What rules call %(name)s, see Image.policy_target.
COLUMNS: dict[str, Column] = {
    "project_id": "owner",
    "owner": "owner",
    "tenant": "owner",
    "visibility": "visibility",
    "status": "status",
    "member_id": _member,
}


def images_visible(
    ctx: RequestContext, *, visibility: str | None = None, member_status: str = MemberStatus.ACCEPTED
) -> ImageQuerySet:
    """Return the images that the caller's list shows: own, public, accepted shares and grants.

    Community images of others come only when asked for by ``visibility`` (or "all"), as the Image API has it; operators see every
    project's images.
    """
    rows = Image.objects.present()
    if visibility and visibility != ALL:
        rows = rows.filter(visibility=visibility)
    if not ctx.is_operator:
        rows = rows.filter(_own(ctx) | _opened(ctx, _shared(_shares(ctx, member_status))))
    if visibility is None:
        rows = rows.filter(_own(ctx) | ~Q(visibility=Visibility.COMMUNITY))
    return keep_allowed(rows, ctx, policies.GET_IMAGE, COLUMNS)


def images_listed(
    ctx: RequestContext,
    conditions: list[Condition],
    *,
    hidden: bool = False,
    visibility: str | None = None,
    member_status: str = MemberStatus.ACCEPTED,
) -> ImageQuerySet:
    """Return the images of ``images_visible`` for which the conditions hold, in a form that is quick among very many images."""
    rows = images_visible(ctx, visibility=visibility, member_status=member_status)
    rows, few = narrowed(rows.filter(os_hidden__in=[True]) if hidden else rows.filter(os_hidden=False), conditions)
    if few or ctx.is_operator:
        return rows
    own = _own(ctx) | _opened(ctx, Q(pk__in=_shares(ctx, member_status).values("image_id")))
    reachable = Image.objects.filter(own).order_by().values_list("pk", flat=True)[: FEW + 1]
    return rows.filter(pk__in=found) if len(found := list(reachable)) <= FEW else rows


def get_image(ctx: RequestContext, image_id: str) -> Image:
    """Return an image the caller may see; any other id is simply not found."""
    image = Image.objects.present().with_details().filter(pk=image_id).first()
    if image is None:
        raise NotFound("Image", image_id, _("No image found with ID %(id)s") % {"id": image_id})
    mark_membership(ctx, image)
    if not allowed(ctx, policies.GET_IMAGE, image):
        raise NotFound("Image", image_id, _("No image found with ID %(id)s") % {"id": image_id})
    return image


def present_image(image_id: str) -> Image | None:
    """Return an image without asking who wants it, for those who hold a signed address."""
    return Image.objects.present().filter(pk=image_id).first()


def mark_membership(ctx: RequestContext, image: Image) -> None:
    """Note on the image whether it is shared with the caller's project, for the rules to read."""
    if image.visibility != Visibility.SHARED or ctx.project_id in (None, image.owner):
        return
    if ImageMember.objects.filter(image=image, member=ctx.project_id).exists():
        image.member_id = ctx.project_id


def members_visible(ctx: RequestContext, image: Image) -> list[ImageMember]:
    """Return the projects an image is shared with: all for its owner, only itself for a member."""
    rows = ImageMember.objects.filter(image=image)
    if not (ctx.is_operator or ctx.project_id == image.owner):
        rows = rows.filter(member=ctx.project_id)
    for row in (found := list(rows)):
        row.image = image
    return found


def get_member(ctx: RequestContext, image: Image, member: str) -> ImageMember:
    """Return one project an image is shared with, if the caller may see that; an image that is not shared now has none."""
    rows = members_visible(ctx, image) if image.visibility == Visibility.SHARED else []
    found = next((row for row in rows if row.member == member), None)
    if found is None:
        said = _("%(member)s not found in the member list of the image %(image)s.") % {"member": member, "image": image.pk}
        raise NotFound("Member", member, said)
    return found


def _own(ctx: RequestContext) -> Q:
    return Q(owner=ctx.project_id) if ctx.project_id else Q(pk__in=[])


def _opened(ctx: RequestContext, shared: Q) -> Q:
    """Return what others opened to the caller: public, community, shared and granted images."""
    opened = Q(visibility__in=[Visibility.PUBLIC, Visibility.COMMUNITY])
    if ctx.project_id:
        opened |= shared
    if ctx.user_id:
        opened |= granted(str(policies.GET_IMAGE.perm), Image, ctx.user_id, ctx.project_id)
    return opened


def _shares(ctx: RequestContext, member_status: str) -> QuerySet[ImageMember]:
    shares = ImageMember.objects.filter(member=ctx.project_id)
    return shares if member_status == ALL else shares.filter(status=member_status)


def _shared(shares: QuerySet[ImageMember]) -> Q:
    """Return the condition for images of which these are members.

    It is said so that no index answers it: or else SQLite gathers and sorts all that a caller may see, for the first page already.
    """
    return ~Q(visibility__in=_NOT_SHARED) & Q(Exists(shares.filter(image=OuterRef("pk")).order_by()))
