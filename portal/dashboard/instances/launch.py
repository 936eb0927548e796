"""What the launch form offers and what it says while one fills it in: sizes that fit, quota afterwards, the same as a command."""

import base64
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from compute import policies
from compute.models import Flavor
from compute.selectors import fits, list_flavors
from portal.core.context import RequestContext
from portal.dashboard.kit.actions import Verdict, verdict_of
from portal.dashboard.kit.commands import Commands, curl, openstack, terraform
from portal.dashboard.kit.quota import Meter, meters
from portal.dashboard.kit.words import ram, root_disk, size

MOST_AT_ONCE = 20
GIB = 1 << 30
AUTO_SINCE = "2.37"  # the first version of the API in which a server may ask for "auto" instead of naming networks


def launch_verdict(ctx: RequestContext) -> Verdict:
    """Return whether the caller may launch here, and why not."""
    return verdict_of(ctx, policies.CREATE)


@dataclass(frozen=True)
class Size:
    """One flavor as a choice: how many more the hosts hold ``now`` and the ``quota`` allows, or why it cannot be chosen."""

    flavor: Flavor
    reason: str = ""
    now: int = 0
    quota: int | None = None

    @property
    def more(self) -> int:
        return self.now if self.quota is None else min(self.now, self.quota)

    @property
    def fits(self) -> str:
        """In words: "27 more fit (quota allows 6)"."""
        if self.reason:
            return self.reason
        if self.quota is None or self.quota >= self.now:
            return ngettext("%(n)d more fits", "%(n)d more fit", self.now) % {"n": self.now}
        return ngettext("%(n)d more (quota)", "%(n)d more (quota)", self.quota) % {"n": self.quota}

    @property
    def fits_in_full(self) -> str:
        """The same with both figures, for the list of flavors."""
        if self.reason or self.quota is None or self.quota >= self.now:
            return self.fits
        return _("%(fit)s (quota allows %(n)d)") % {
            "fit": ngettext("%(n)d more fits", "%(n)d more fit", self.now) % {"n": self.now},
            "n": self.quota,
        }


def sizes(ctx: RequestContext, image: Any | None) -> list[Size]:
    """Return the flavors as choices for an image, smallest first."""
    flavors = sorted(list_flavors(ctx), key=lambda flavor: (flavor.ram_mb, flavor.vcpus, flavor.root_gb))
    room, quota = fits(ctx, flavors), meters(ctx)
    return [_size(flavor, image, quota, room[flavor.flavor_id]) for flavor in flavors]


def _size(flavor: Flavor, image: Any | None, meters_now: list[Meter], room: dict[str, int | None]) -> Size:
    now, quota = room["now"] or 0, room["quota"]
    reason = _too_small(flavor, image) if image is not None else ""
    if not reason and quota == 0:
        full = next(meter for meter in meters_now if meter.free is not None and meter.free < meter.cost(flavor))
        reason = _("quota: %(what)s") % {"what": full.label}
    if not reason and now == 0:
        reason = _("no host has room")
    return Size(flavor, reason, now, quota)


def _too_small(flavor: Flavor, image: Any) -> str:
    """Return why an image does not fit a size; a flavor without a disk takes the image's own size."""
    if image.min_ram > flavor.ram_mb:
        return _("the image needs %(need)s memory") % {"need": ram(image.min_ram)}
    needs = max(image.virtual_size or 0, image.size or 0, image.min_disk * GIB)
    if flavor.root_gb and needs > flavor.root_gb * GIB:
        return _("the image needs a %(need)s disk") % {"need": size(needs)}
    return ""


@dataclass(frozen=True)
class Summary:
    """The right side of the form."""

    headline: str
    quota: list[Meter]
    commands: Commands
    over: list[Meter]


def summary(ctx: RequestContext, values: dict[str, Any], image: Any | None, flavor: Flavor | None) -> Summary:
    """Return what would be launched, what the quota holds afterwards, and the commands."""
    count = values["count"]
    after = [meter.plus(flavor, count) for meter in meters(ctx)]
    return Summary(headline(count, image, flavor), after, commands(values, image, flavor), [m for m in after if m.over])


def headline(count: int, image: Any | None, flavor: Flavor | None) -> str:
    """Return the deed in one line."""
    parts = []
    if flavor is not None:
        parts = [f"{flavor.vcpus} vCPU", ram(flavor.ram_mb), root_disk(flavor.root_gb)]
    if image is not None:
        parts.append(image.name or str(image.pk)[:8])
    return (f"{count} × " if count > 1 else "") + " · ".join(parts)


def commands(values: dict[str, Any], image: Any | None, flavor: Flavor | None) -> Commands:
    """Return the three ways of saying what the form says; user data stands as a file."""
    name, count = values["name"] or "NAME", values["count"]
    image_name = (image.name or str(image.pk)) if image else "IMAGE"
    flavor_name = flavor.name if flavor else "FLAVOR"
    network, key, script = values["network"], values["key_name"], values["user_data"]
    words: list[object] = ["server", "create", name, "--image", image_name, "--flavor", flavor_name]
    if network:
        words += ["--network", network]
    if key:
        words += ["--key-name", key]
    if script:
        words += ["--user-data", "user-data.txt"]
    if count > 1:
        words += ["--min", count, "--max", count]
    body = {
        "name": name,
        "imageRef": str(image.pk) if image else "IMAGE_ID",
        "flavorRef": flavor.flavor_id if flavor else "FLAVOR_ID",
        "networks": [{"uuid": network}] if network else "auto",
    }
    if key:
        body["key_name"] = key
    if script:
        short = len(script) <= 400
        body["user_data"] = base64.b64encode(script.encode()).decode() if short else "USER_DATA_IN_BASE64"
    if count > 1:
        body |= {"min_count": count, "max_count": count}
    resource = terraform(
        "openstack_compute_instance_v2",
        name,
        name=name,
        image_id=body["imageRef"],
        flavor_name=flavor_name,
        key_pair=key or None,
        user_data=script or None,
    )
    if count > 1:
        resource = resource.replace("{\n", f"{{\n  count = {count}\n", 1)
    if network:
        resource = resource.removesuffix("}") + f'\n  network {{\n    uuid = "{network}"\n  }}\n}}'
    return Commands(
        openstack(*words),
        curl("POST", "/compute/v2.1/servers", {"server": body}, microversion="" if network else AUTO_SINCE),
        resource,
    )
