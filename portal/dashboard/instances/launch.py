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
    names = {
        "name": values["name"] or "NAME",
        "image": (image.name or str(image.pk)) if image else "IMAGE",
        "flavor": flavor.name if flavor else "FLAVOR",
    }
    body = _body(values, str(image.pk) if image else "IMAGE_ID", flavor.flavor_id if flavor else "FLAVOR_ID")
    version = "" if values["networks"] else AUTO_SINCE
    return Commands(
        openstack(*_words(values, names)),
        curl("POST", "/compute/v2.1/servers", {"server": body}, microversion=version),
        _resource(values, names, body["imageRef"]),
    )


def _words(values: dict[str, Any], names: dict[str, str]) -> list[object]:
    words: list[object] = ["server", "create", names["name"], "--image", names["image"], "--flavor", names["flavor"]]
    words += [word for network in values["networks"] for word in ("--network", network)]
    words += [word for group in values["groups"] for word in ("--security-group", group)]
    if values["key_name"]:
        words += ["--key-name", values["key_name"]]
    if values["user_data"]:
        words += ["--user-data", "user-data.txt"]
    if values["count"] > 1:
        words += ["--min", values["count"], "--max", values["count"]]
    return words


def _body(values: dict[str, Any], image_id: str, flavor_id: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": values["name"] or "NAME",
        "imageRef": image_id,
        "flavorRef": flavor_id,
        "networks": [{"uuid": network} for network in values["networks"]] or "auto",
    }
    if values["groups"]:
        body["security_groups"] = [{"name": group} for group in values["groups"]]
    if values["key_name"]:
        body["key_name"] = values["key_name"]
    if script := values["user_data"]:
        short = len(script) <= 400
        body["user_data"] = base64.b64encode(script.encode()).decode() if short else "USER_DATA_IN_BASE64"
    if values["count"] > 1:
        body |= {"min_count": values["count"], "max_count": values["count"]}
    return body


def _resource(values: dict[str, Any], names: dict[str, str], image_id: str) -> str:
    resource = terraform(
        "openstack_compute_instance_v2",
        names["name"],
        name=names["name"],
        image_id=image_id,
        flavor_name=names["flavor"],
        key_pair=values["key_name"] or None,
        security_groups=values["groups"] or None,
        user_data=values["user_data"] or None,
    )
    if values["count"] > 1:
        resource = resource.replace("{\n", f"{{\n  count = {values['count']}\n", 1)
    for network in values["networks"]:
        resource = resource.removesuffix("}") + f'\n  network {{\n    uuid = "{network}"\n  }}\n}}'
    return resource
