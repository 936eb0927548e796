"""The buttons that copy, replace or put aside an instance's disk, with their small forms."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from compute import policies
from compute.models import Server
from compute.services import rebuilding, rescuing, shelving, snapshots
from compute.states import Action
from images.selectors import images_visible
from portal.core.context import RequestContext
from portal.dashboard.instances.base import InstanceAction
from portal.dashboard.kit.forms import CloudForm

MOST_BACKUPS = 365


class SnapshotForm(CloudForm):
    """What the image is called."""

    name = forms.CharField(label=gettext_lazy("Name of the image"), max_length=255)

    def __init__(self, ctx: RequestContext, server: Server, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("name", proposed_name(server))


class BackupForm(SnapshotForm):
    """What the backup is called, its kind, and how many of that kind stay."""

    kind = forms.CharField(label=gettext_lazy("Kind"), max_length=255, initial="daily")
    keep = forms.IntegerField(
        label=gettext_lazy("Keep"),
        min_value=1,
        max_value=MOST_BACKUPS,
        initial=7,
        help_text=gettext_lazy("As many backups of this kind stay, the newest. Older ones are deleted."),
    )


class RebuildForm(CloudForm):
    """The image of the new disk."""

    image = forms.ChoiceField(
        label=gettext_lazy("Image"),
        help_text=gettext_lazy("Everything on the disk is lost. Name, addresses and key stay."),
    )

    def __init__(self, ctx: RequestContext, server: Server, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("image", bootable(ctx))
        self.initial.setdefault("image", server.image_id)


class RescueForm(CloudForm):
    """From which image the instance starts meanwhile."""

    image = forms.ChoiceField(
        label=gettext_lazy("Image"),
        required=False,
        help_text=gettext_lazy(
            "The instance starts from a fresh disk of this image. Its own disk is the second one and stays as it is."
        ),
    )

    def __init__(self, ctx: RequestContext, server: Server, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("image", [("", _("Its own image")), *bootable(ctx)])


def bootable(ctx: RequestContext) -> list[tuple[str, str]]:
    """Return the images from which an instance can start, as choices."""
    return [(str(image.pk), image.name or str(image.pk)) for image in images_visible(ctx).order_by("name") if image.boots]


def proposed_name(server: Server) -> str:
    """Return a name that tells what was copied, and when."""
    return f"{server.name[:200]}-{timezone.now():%Y-%m-%d-%H%M}"


class CreateImage(InstanceAction):
    name = "snapshot"
    label = gettext_lazy("Create image")
    icon = "camera"
    group = "copies"
    asks_first = True
    rule = policies.CREATE_IMAGE
    action = Action.CREATE_IMAGE
    form = SnapshotForm
    verb = ("image", "create", "--name", "NAME")
    body = {"createImage": {"name": "NAME"}}

    def fill(self, ctx: RequestContext, obj: Server, given: dict[str, Any]) -> None:
        snapshots.create_image(ctx=ctx, server=obj, name=given["name"])

    def said(self, obj: Server) -> str:
        return _("An image of %(name)s is being made.") % {"name": obj.name}


class BackUp(InstanceAction):
    name = "backup"
    label = gettext_lazy("Back up")
    icon = "copy"
    group = "copies"
    asks_first = True
    rule = policies.CREATE_BACKUP
    action = Action.CREATE_BACKUP
    form = BackupForm
    verb = ("backup", "create", "--name", "NAME", "--type", "daily", "--rotate", "7")
    body = {"createBackup": {"name": "NAME", "backup_type": "daily", "rotation": 7}}

    def fill(self, ctx: RequestContext, obj: Server, given: dict[str, Any]) -> None:
        snapshots.create_backup(ctx=ctx, server=obj, name=given["name"], backup_type=given["kind"], rotation=given["keep"])

    def said(self, obj: Server) -> str:
        return _("%(name)s is being backed up.") % {"name": obj.name}


class Rebuild(InstanceAction):
    name = "rebuild"
    label = pgettext_lazy("action", "Rebuild")
    icon = "rotate"
    group = "copies"
    asks_first = True
    danger = True
    rule = policies.REBUILD
    action = Action.REBUILD
    form = RebuildForm
    verb = ("rebuild", "--image", "IMAGE")
    body = {"rebuild": {"imageRef": "IMAGE"}}

    def fill(self, ctx: RequestContext, obj: Server, given: dict[str, Any]) -> None:
        rebuilding.rebuild(ctx=ctx, server=obj, image_id=given["image"])


class Rescue(InstanceAction):
    name = "rescue"
    label = pgettext_lazy("action", "Rescue")
    icon = "lifebuoy"
    group = "copies"
    asks_first = True
    rule = policies.RESCUE
    action = Action.RESCUE
    form = RescueForm
    verb = ("rescue",)
    body = {"rescue": None}

    def fill(self, ctx: RequestContext, obj: Server, given: dict[str, Any]) -> None:
        rescuing.rescue(ctx=ctx, server=obj, image_id=given["image"] or None)


class Unrescue(InstanceAction):
    name = "unrescue"
    label = gettext_lazy("End rescue")
    icon = "player-play"
    group = "copies"
    rare = prominent = True
    rule = policies.UNRESCUE
    action = Action.UNRESCUE
    perform = staticmethod(rescuing.unrescue)
    verb = ("unrescue",)
    body = {"unrescue": None}


class Shelve(InstanceAction):
    name = "shelve"
    label = pgettext_lazy("action", "Shelve")
    icon = "archive"
    group = "rest"
    rare = True
    asks_first = True
    rule = policies.SHELVE
    action = Action.SHELVE
    perform = staticmethod(shelving.shelve)
    verb = ("shelve",)
    body = {"shelve": None}


class Offload(InstanceAction):
    name = "offload"
    label = gettext_lazy("Take from its host")
    icon = "server-2"
    group = "rest"
    rare = True
    rule = policies.SHELVE_OFFLOAD
    action = Action.SHELVE_OFFLOAD
    perform = staticmethod(shelving.offload)
    verb = ("shelve", "--offload")
    body = {"shelveOffload": None}


class Unshelve(InstanceAction):
    name = "unshelve"
    label = pgettext_lazy("action", "Unshelve")
    icon = "player-play"
    group = "rest"
    rare = prominent = True
    rule = policies.UNSHELVE
    action = Action.UNSHELVE
    perform = staticmethod(shelving.unshelve)
    verb = ("unshelve",)
    body = {"unshelve": None}


RESTS: tuple[InstanceAction, ...] = (Shelve(), Unshelve(), Offload(), Unrescue())
COPIES: tuple[InstanceAction, ...] = (CreateImage(), BackUp(), Rebuild(), Rescue())
