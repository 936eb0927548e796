"""The buttons of an image."""

from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from images import policies
from images.models import Image
from images.services import registry
from images.states import ImageStatus
from portal.dashboard.kit.actions import RowAction
from portal.dashboard.kit.commands import Commands, curl, openstack


class Delete(RowAction):
    name = "delete"
    label = pgettext_lazy("action", "Delete")
    icon = "trash"
    group = "danger"
    panel = "images"
    subject = "image"
    rule = policies.DELETE_IMAGE
    perform = staticmethod(registry.delete)
    danger = True
    asks_first = True

    def refusal_by_state(self, obj: Image) -> tuple[str, str]:
        if obj.protected:
            return _("%(name)s is protected.") % {"name": obj}, _("Take the protection off first.")
        if obj.status == ImageStatus.DELETED:
            return _("%(name)s is deleted already.") % {"name": obj}, ""
        return "", ""

    def command(self, obj: Image) -> Commands:
        return Commands(openstack("image", "delete", obj.pk), curl("DELETE", f"/image/v2/images/{obj.pk}"))

    def said(self, obj: Image) -> str:
        return _("%(name)s is deleted.") % {"name": obj}


ACTIONS = (Delete(),)
BY_NAME = {action.name: action for action in ACTIONS}
