"""The buttons of an image."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from images import policies
from images.models import Image
from images.services import registry
from images.services.imports import requests, steering
from images.states import ImageStatus, TaskStatus
from portal.core.context import RequestContext
from portal.core.policy import Rule
from portal.dashboard.images.commands import import_commands
from portal.dashboard.kit.actions import DeleteAction, RowAction
from portal.dashboard.kit.commands import Commands, curl, openstack


class ImageAction(RowAction):
    """Base of an image's buttons."""

    panel = "images"
    subject = "image"


class ImportAction(ImageAction):
    """Base of what is done to the last import: the rule is that of asking for it."""

    rule = policies.MODIFY_IMAGE

    def rule_for(self, obj: Image) -> Rule:
        return steering.rule_of(obj.latest_task) if obj.latest_task else self.rule


class CancelImport(ImportAction):
    name = "cancel-import"
    label = gettext_lazy("Cancel import")
    icon = "x"
    perform = staticmethod(steering.cancel)

    def refusal_by_state(self, obj: Image) -> tuple[str, str]:
        if obj.import_task_id is None or obj.latest_task is None:
            return _("Nothing is imported into %(name)s now.") % {"name": obj}, ""
        if obj.latest_task.status == TaskStatus.FAILURE:
            return _("It is being cancelled already."), _("That takes a few seconds.")
        return "", ""

    def command(self, obj: Image) -> Commands:
        return Commands("", "")


class RetryImport(ImportAction):
    name = "retry-import"
    label = gettext_lazy("Try again")
    icon = "refresh"
    perform = staticmethod(steering.retry)

    def refusal_by_state(self, obj: Image) -> tuple[str, str]:
        if not steering.can_retry(obj):
            return _("No import of %(name)s has failed that could be tried again.") % {"name": obj}, ""
        return "", ""

    def command(self, obj: Image) -> Commands:
        if obj.latest_task is None:
            return Commands("", "")
        wanted = obj.latest_task.input.get("import_req", {})
        uri = str(wanted.get("method", {}).get("uri", ""))
        return import_commands(obj.pk, method=steering.method_of(obj.latest_task), uri=uri, stores=wanted.get("stores"))


class CopyToStore(ImageAction):
    name = "copy"
    label = gettext_lazy("Copy to another store")
    short = pgettext_lazy("action", "Copy")
    icon = "database"
    rule = policies.COPY_IMAGE
    asks_first = True

    def refusal_by_state(self, obj: Image) -> tuple[str, str]:
        if obj.status != ImageStatus.ACTIVE:
            return _("%(name)s has no data that could be copied.") % {"name": obj}, _("Copies are possible when it is ready.")
        if obj.import_task_id:
            return _("%(name)s is being copied now.") % {"name": obj}, _("Wait until that is done, or cancel it.")
        if not steering.copy_targets(obj):
            return _("Every store has a copy of %(name)s.") % {"name": obj}, ""
        return "", ""

    def copy(self, ctx: RequestContext, obj: Image, store: str) -> None:
        steering.copy(ctx=ctx, image=obj, store=store)

    def command(self, obj: Image) -> Commands:
        return import_commands(obj.pk, method=requests.COPY, stores=steering.copy_targets(obj)[:1] or ["STORE"])

    def said(self, obj: Image) -> str:
        return _("%(name)s is being copied.") % {"name": obj}


class Delete(DeleteAction, ImageAction):
    rule = policies.DELETE_IMAGE
    perform = staticmethod(registry.delete)

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


CANCEL, RETRY, COPY, DELETE = CancelImport(), RetryImport(), CopyToStore(), Delete()
BY_NAME: dict[str, RowAction] = {action.name: action for action in (CANCEL, RETRY, COPY, DELETE)}


def actions_of(image: Image) -> list[RowAction]:
    """Return the buttons that mean something for an image now, whoever looks; its latest task is marked."""
    found: list[RowAction] = []
    if image.import_task_id:
        found.append(CANCEL)
    if steering.can_retry(image):
        found.append(RETRY)
    if steering.several_stores():
        found.append(COPY)
    return [*found, DELETE]
