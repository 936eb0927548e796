"""The placement picture of a build: how many hosts were left after each question, and what the others lacked.

Its reader is the owner of the instance, so hosts are counted; only operators read their names.
"""

from collections import Counter
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from compute.models import Server
from compute.states import VmState
from portal.dashboard.kit.words import ram, root_disk

# By the name of the filter: the question it puts, and what helps when nobody is left.
_QUESTIONS: dict[str, tuple[str | Promise, str | Promise]] = {
    "ComputeFilter": (gettext_lazy("in service"), gettext_lazy("Launch it again when the hosts are back.")),
    "AvailabilityZoneFilter": (gettext_lazy("in the zone asked for"), gettext_lazy("Launch it without a zone.")),
    "RetryFilter": (gettext_lazy("not tried before"), gettext_lazy("Launch it again later.")),
    "CoreFilter": (gettext_lazy("with enough vCPUs"), gettext_lazy("Delete it and launch it in a size with fewer vCPUs.")),
    "RamFilter": (gettext_lazy("with enough memory"), gettext_lazy("Delete it and launch it in a size with less memory.")),
    "DiskFilter": (gettext_lazy("with enough disk"), gettext_lazy("Delete it and launch it in a size with a smaller disk.")),
    "ImagePropertiesFilter": (gettext_lazy("that can run the image"), gettext_lazy("Launch it from another image.")),
    "SameHostFilter": (gettext_lazy("with the servers named"), gettext_lazy("Launch it without that wish.")),
    "DifferentHostFilter": (gettext_lazy("without the servers named"), gettext_lazy("Launch it without that wish.")),
    "ServerGroupAffinityFilter": (gettext_lazy("where its group is"), gettext_lazy("Launch it outside of the group.")),
    "ServerGroupAntiAffinityFilter": (
        gettext_lazy("without others of its group"),
        gettext_lazy("Launch it outside of the group."),
    ),
}
_ALWAYS_TOLD = frozenset({"ComputeFilter", "CoreFilter", "RamFilter", "DiskFilter"})  # others only when they refused a host


@dataclass(frozen=True)
class Step:
    """One question: how many hosts were left after it, and why the others fell out."""

    label: str
    left: int
    percent: int
    refused: list[str]


@dataclass(frozen=True)
class Picture:
    """A placement that found no host."""

    asked: str
    hosts: int
    steps: list[Step]
    remedy: str


def picture_of(server: Server, *, with_names: bool) -> Picture | None:
    """Return the newest placement of a build that no host could take, or None."""
    decision = server.placements.first() if server.vm_state == VmState.ERROR and server.launched_at is None else None
    if decision is None or decision.chosen is not None or not decision.steps:
        return None
    hosts = decision.steps[0]["left"] + len(decision.steps[0]["refused"])
    steps = [
        Step(_label(step["filter"]), step["left"], 100 * step["left"] // max(1, hosts), _reasons(step["refused"], with_names))
        for step in decision.steps
        if step["refused"] or step["filter"] in _ALWAYS_TOLD
    ]
    emptied = next((step["filter"] for step in decision.steps if not step["left"]), "")
    asked = f"{server.vcpus} vCPU · {ram(server.ram_mb)} · {root_disk(server.root_gb)}"
    return Picture(asked, hosts, steps, str(_QUESTIONS.get(emptied, ("", ""))[1]))


def next_step(server: Server, picture: Picture | None) -> str:
    """Return what to do about an instance in error."""
    if picture is not None and picture.remedy:
        return picture.remedy
    if server.host is None:
        return _("Delete it and launch it again.")
    return _("Its log may tell more. A hard reboot starts it anew.")


def _label(name: str) -> str:
    return str(_QUESTIONS[name][0]) if name in _QUESTIONS else name


def _reasons(refused: dict[str, str], with_names: bool) -> list[str]:
    if with_names:
        return [f"{host}: {reason}" for host, reason in sorted(refused.items())]
    counted = Counter(refused.values()).most_common()
    return [
        ngettext("%(n)d host: %(reason)s", "%(n)d hosts: %(reason)s", number) % {"n": number, "reason": reason}
        for reason, number in counted
    ]
