"""What is known of the keys of images and flavors: the metadata definitions in the words of a page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from images.metadef_selectors import namespaces_listed, namespaces_visible
from images.models import MetadefAssociation, MetadefNamespace
from portal.core.context import RequestContext

IMAGE = "OS::Glance::Image"
FLAVOR = "OS::Nova::Flavor"
SERVER = "OS::Nova::Server"
AGGREGATE = "OS::Nova::Aggregate"
_CONTENTS = ("associations__resource_type", "properties", "object_definitions")


@dataclass(frozen=True)
class Key:
    """One key as it stands on a resource type, what it is about, and what it may be set to."""

    name: str
    title: str
    description: str
    values: str


@dataclass(frozen=True)
class Group:
    """The keys that one namespace gives to a resource type."""

    namespace: MetadefNamespace
    keys: list[Key]

    @property
    def title(self) -> str:
        return self.namespace.display_name or self.namespace.namespace


def kinds(groups: Iterable[MetadefNamespace]) -> dict[str, str]:
    """Return the resource types that these namespaces are meant for and what pages call them, images first."""
    called = {IMAGE: _("Images"), FLAVOR: _("Flavors"), SERVER: _("Instances"), AGGREGATE: _("Host aggregates")}
    found = {row.resource_type.name for namespace in groups for row in namespace.associations.all()}
    return {name: called.get(name, name) for name in [*called, *sorted(found - set(called))] if name in found}


def listed(ctx: RequestContext) -> list[MetadefNamespace]:
    """Return the namespaces that a person may list, with all their keys."""
    return list(namespaces_listed(ctx).prefetch_related(*_CONTENTS).order_by("display_name", "namespace"))


def groups_for(resource_type: str, namespaces: Iterable[MetadefNamespace]) -> list[Group]:
    """Return what these namespaces give to a resource type."""
    found = []
    for namespace in namespaces:
        meant = next((row for row in namespace.associations.all() if row.resource_type.name == resource_type), None)
        if meant is not None:
            found.append(Group(namespace, _keys(namespace, meant)))
    return found


def known(ctx: RequestContext, names: Iterable[str]) -> dict[str, Key]:
    """Return what is known of these keys of an image."""
    rows = namespaces_visible(ctx).prefetch_related(*_CONTENTS)
    wanted = set(names)
    keys = {key.name: key for group in groups_for(IMAGE, rows) for key in group.keys} if wanted else {}
    return {name: key for name, key in keys.items() if name in wanted}


def _keys(namespace: MetadefNamespace, meant: MetadefAssociation) -> list[Key]:
    schemas = {row.name: row.schema for row in namespace.properties.all()}
    for each in namespace.object_definitions.all():
        schemas |= {name: schema for name, schema in each.properties.items() if name not in schemas}
    return [
        Key(f"{meant.prefix}{name}", str(schema["title"]), str(schema.get("description", "")), values_of(schema))
        for name, schema in schemas.items()
    ]


def values_of(schema: Mapping[str, Any]) -> str:
    """Return in words what a key may be set to."""
    if schema.get("enum"):
        return ", ".join(str(value) for value in schema["enum"])
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return _("%(least)s to %(most)s") % {"least": least, "most": most}
    if least is not None:
        return _("%(least)s or more") % {"least": least}
    words = {"boolean": _("true or false"), "integer": _("whole number"), "number": _("number"), "array": _("list")}
    return words.get(str(schema.get("type")), _("text"))
