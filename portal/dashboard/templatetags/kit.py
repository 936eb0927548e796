"""Tags and filters of the pages: icons, figures, commands."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.template import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.dashboard.kit import words
from portal.dashboard.kit.pages import is_fragment

register = template.Library()

register.filter("ram", words.ram)
register.filter("disk", words.disk)
register.filter("root_disk", words.root_disk)
register.filter("bytes", words.size)
register.filter("browser", words.browser)


@register.simple_tag
@lru_cache(maxsize=512)
def icon(name: str, css: str = "") -> SafeString:
    """An icon of the sprite, hidden from screen readers. Kept: a page shows hundreds, and the sprite's address never changes."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.75"'
        ' stroke-linecap="round" stroke-linejoin="round"><use href="{}#{}"></use></svg>',
        css,
        static("dist/icons.svg"),
        name,
    )


@register.filter
def ago(then: datetime | None) -> SafeString | str:
    """A time as an age, with the exact time on hover."""
    if then is None:
        return "–"
    local = timezone.localtime(then)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat(), local.strftime("%Y-%m-%d %H:%M:%S %Z"), words.age(then)
    )


@register.filter
def moment(then: datetime | None) -> SafeString | str:
    """A time of today as a time of day, else with its date."""
    if then is None:
        return "–"
    local = timezone.localtime(then)
    today = local.date() == timezone.localdate()
    text = local.strftime("%H:%M:%S") if today else f"{date_format(local, 'SHORT_DATE_FORMAT')} {local:%H:%M}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat(), local.strftime("%Y-%m-%d %H:%M:%S %Z"), text
    )


@register.filter
def short_id(value: object) -> str:
    """The first eight signs of an id."""
    return str(value)[:8]


@register.simple_tag
def copy_button(text: str, label: str) -> SafeString:
    """A small button that puts ``text`` on the clipboard."""
    return format_html(
        '<button type="button" class="nb-copy" data-copy="{}" aria-label="{}" title="{}">{}</button>',
        text,
        label,
        label,
        icon("copy"),
    )


@register.simple_tag(takes_context=True)
def dialog_sends(context: Context, address: str) -> SafeString | str:
    """The attributes by which a script sends a form from the dialog; none on a page of its own, whose form the browser sends."""
    if not is_fragment(context["request"]):
        return ""
    return format_html('hx-post="{}" hx-target="closest [data-dialog-body]" hx-disabled-elt="find button"', address)


@register.inclusion_tag("kit/commands.html")
def commands(block: Any, dom_id: str = "commands") -> dict[str, Any]:
    """The commands behind a deed, as tabs."""
    return {"block": block, "dom_id": dom_id}


@register.inclusion_tag("kit/field.html")
def field(bound: Any, hint: str = "") -> dict[str, Any]:
    """A form field with its label, help and messages."""
    return {"field": bound, "hint": hint}


@register.inclusion_tag("kit/choices.html")
def choices(bound: Any) -> dict[str, Any]:
    """A form field as boxes to choose one or several of."""
    return {"field": bound}


@register.inclusion_tag("kit/offer.html")
def button(offer: Any, css: str = "", view: str = "row") -> dict[str, Any]:
    """A button that stands alone; grey and explaining when it is refused."""
    return {"offer": offer, "css": css, "view": view, "item": False}


@register.inclusion_tag("kit/offer.html")
def menu_item(offer: Any, view: str = "row") -> dict[str, Any]:
    """A button as an item of a menu, with its commands beside it."""
    return {"offer": offer, "css": "", "view": view, "item": True}
