"""The list of instances."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from compute.models import Server
from compute.network.selectors import devices_with_address
from compute.selectors import servers_visible
from compute.states import TaskState, VmState
from images.models import Image
from portal.dashboard.instances.actions import BUTTONS
from portal.dashboard.instances.facts import facts_of
from portal.dashboard.kit.tables import Column, LiveTable

_STATUS_WORDS: dict[str, Q] = {
    "active": Q(vm_state=VmState.ACTIVE),
    "running": Q(vm_state=VmState.ACTIVE),
    "stopped": Q(vm_state=VmState.STOPPED),
    "shutoff": Q(vm_state=VmState.STOPPED),
    "error": Q(vm_state=VmState.ERROR),
    "building": Q(vm_state=VmState.BUILDING),
    "build": Q(vm_state=VmState.BUILDING),
    "deleting": Q(task_state=TaskState.DELETING),
    "busy": Q(task_state__isnull=False),
}


_IPV4_SIGNS = frozenset("0123456789.")
_IPV6_SIGNS = frozenset("0123456789abcdef:")


def by_status(word: str) -> Q:
    return _STATUS_WORDS.get(word.lower(), Q(pk__in=[]))


def by_image(text: str) -> Q:
    return Q(image_id__in=Image.objects.filter(name__icontains=text).values("pk"))


class InstanceTable(LiveTable):
    name = "instances"
    columns = (
        Column("name", _("Name"), ("name",)),
        Column("status", _("Status"), ("vm_state", "task_state")),
        Column("image", _("Image"), css="nb-wide-only"),
        Column("size", _("Size"), ("vcpus", "ram_mb"), css="nb-wide-only"),
        Column("address", _("Address")),
        Column("owner", _("Owner"), ("user_name",), css="nb-wide-only nb-xl-only"),
        Column("created", _("Age"), ("created_at",), css="nb-wide-only"),
        Column("host", _("Host"), ("host",), css="nb-wide-only nb-xl-only", operators_only=True),
        Column("actions", _("Actions"), hidden_label=True),
    )
    row_template = "instances/row.html"
    actions = BUTTONS
    default_sort = "-created"
    words = {
        "status": by_status,
        "image": by_image,
        "name": lambda text: Q(name__icontains=text),
        "owner": lambda text: Q(user_name__iexact=text),
        "host": lambda text: Q(host__iexact=text),
        "flavor": lambda text: Q(flavor_name__iexact=text),
    }

    def all(self) -> QuerySet[Server]:
        return servers_visible(self.ctx)

    def plain(self, text: str) -> Q:
        found = Q(name__icontains=text) | Q(pk__startswith=text.lower())
        for version, signs in ((4, _IPV4_SIGNS), (6, _IPV6_SIGNS)):
            if set(text.lower()) <= signs:
                found |= Q(pk__in=devices_with_address(text.lower(), version))
        return found

    def facts(self, objects: list[Any]) -> dict[Any, Any]:
        return facts_of(objects)
