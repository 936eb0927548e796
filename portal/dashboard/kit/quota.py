"""Quota as bars: what is used, what a wish would add, what is left."""

from dataclasses import dataclass, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compute.selectors import usage
from portal.core.context import RequestContext
from portal.dashboard.kit.words import ram


@dataclass(frozen=True)
class Meter:
    """One resource of a project. ``limit`` None means unlimited; ``added`` is what a wish would take."""

    name: str
    label: str | Promise
    used: int
    limit: int | None
    added: int = 0

    @property
    def free(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)

    @property
    def over(self) -> bool:
        return self.limit is not None and self.used + self.added > self.limit

    @property
    def full(self) -> bool:
        return self.limit is not None and self.used + self.added >= self.limit

    @property
    def used_percent(self) -> int:
        return self._percent(self.used)

    @property
    def added_percent(self) -> int:
        return min(100 - self.used_percent, self._percent(self.added))

    def _percent(self, value: int) -> int:
        return min(100, 100 * value // self.limit) if self.limit else (100 if self.limit == 0 and value else 0)

    @property
    def text(self) -> str:
        """Used and limit as people read them: 46 / 60, 12 / 50 GB."""
        if self.name != "ram":
            return f"{self.used + self.added} / {'∞' if self.limit is None else self.limit}"
        return f"{ram(self.used + self.added)} / {'∞' if self.limit is None else ram(self.limit)}"

    def cost(self, flavor: Any) -> int:
        """Return what one server of a flavor takes of this resource."""
        costs: dict[str, int] = {"instances": 1, "cores": flavor.vcpus, "ram": flavor.ram_mb}
        return costs[self.name]

    def plus(self, flavor: Any | None, count: int) -> "Meter":
        """Return the meter with a wish added."""
        return self if flavor is None else replace(self, added=self.cost(flavor) * count)


def meters(ctx: RequestContext) -> list[Meter]:
    """Return the three meters of the project in use."""
    found = usage(ctx)
    labels = {"instances": _("Instances"), "cores": _("Cores"), "ram": _("Memory")}
    return [Meter(name, label, found[name].used, found[name].limit) for name, label in labels.items()]
