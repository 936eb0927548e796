"""What the frame around every page shows; computed only when a template asks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.selectors import projects_of
from compute.selectors import servers_visible
from images.selectors import images_visible
from portal.core.errors import CloudError
from portal.core.policies import ADMIN_SITE
from portal.core.policy import allowed

THEME_COOKIE = "nebulet_theme"
THEMES = ("auto", "light", "dark")
LANGUAGES = (("en", "English"), ("zh-hans", "简体中文"))


@dataclass(frozen=True)
class Entry:
    """One line of the sidebar: a panel, its name and icon, and a count when there is one."""

    panel: str
    label: str | Promise
    icon: str
    count: int | None = None

    @property
    def url(self) -> str:
        return reverse(f"{self.panel}:list")


class Shell:
    """The frame's facts for one request."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.ctx = getattr(request, "ctx", None)

    @property
    def signed_in(self) -> bool:
        return self.ctx is not None

    @property
    def theme(self) -> str:
        chosen = self.request.COOKIES.get(THEME_COOKIE, "auto")
        return chosen if chosen in THEMES else "auto"

    @property
    def painted(self) -> str:
        """The theme to paint with before a script has looked at the system's wish."""
        return "dark" if self.theme == "dark" else "light"

    @property
    def themes(self) -> list[tuple[str, str | Promise, str]]:
        return [("auto", _("Like the system"), "sun-moon"), ("light", _("Light"), "sun"), ("dark", _("Dark"), "moon")]

    @property
    def languages(self) -> tuple[tuple[str, str], ...]:
        return LANGUAGES

    @property
    def language(self) -> str:
        return get_language() or "en"

    @property
    def panel(self) -> str:
        match = self.request.resolver_match
        return match.namespace if match else ""

    @cached_property
    def entries(self) -> list[Entry]:
        if self.ctx is None or self.ctx.project_id is None:
            return []
        return [
            Entry("overview", _("Overview"), "layout-dashboard"),
            Entry("instances", _("Instances"), "server-2", self._count(servers_visible)),
            Entry("images", _("Images"), "disc", self._count(images_visible)),
            Entry("flavors", _("Flavors"), "ruler-2"),
            Entry("networks", _("Networks"), "network"),
            Entry("security-groups", _("Security groups"), "shield"),
            Entry("keys", _("Keys"), "key"),
            Entry("access", _("Shares"), "users"),
            Entry("api-access", _("API access"), "code"),
        ]

    def _count(self, visible: Callable[[Any], Any]) -> int | None:
        """Return how many there are to see; nothing for who may not list them."""
        try:
            return int(visible(self.ctx).count())
        except CloudError:
            return None

    @cached_property
    def projects(self) -> list[Any]:
        return list(projects_of(self.request.user)) if self.ctx else []

    @cached_property
    def admin_site(self) -> bool:
        return self.ctx is not None and allowed(self.ctx, ADMIN_SITE)

    @property
    def live_feed(self) -> str:
        return "/ws/servers/" if self.ctx and self.ctx.project_id else ""


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the frame, under the name ``shell``."""
    return {"shell": Shell(request)}
