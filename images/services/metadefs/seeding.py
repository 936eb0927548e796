"""The first definitions: what a fresh cloud knows of keys, written once and again only while nobody else changed them."""

import hashlib
import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db import transaction

from images.metadef_selectors import with_contents
from images.models import MetadefNamespace, MetadefSeed
from images.services.metadefs import bodies, namespaces
from portal.core.context import RequestContext

LOG = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parents[2] / "definitions"


def shipped() -> list[bodies.Body]:
    """Return the definitions that come with this cloud: each file is the body of a request that makes a namespace."""
    return [json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))]


def seed(*, ctx: RequestContext, owner: str, wanted: Iterable[bodies.Body]) -> list[str]:
    """Write namespaces that are missing or outdated and return their names.

    A namespace that an operator made, changed or deleted is left as it is.
    """
    return [str(body["namespace"]) for body in wanted if _seed(ctx, {**body, "owner": owner})]


@transaction.atomic
def _seed(ctx: RequestContext, body: bodies.Body) -> bool:
    source = _digest(body)
    before = MetadefSeed.objects.select_for_update().filter(pk=body["namespace"]).first()
    present = MetadefNamespace.objects.filter(namespace=body["namespace"]).first()
    if before is None and present is not None:
        return False
    if before is not None:
        if before.source == source or present is None or _written(present) != before.written:
            return False
        present.delete()
    namespace = namespaces.create(ctx=ctx, wanted=body)
    MetadefSeed.objects.update_or_create(pk=namespace.namespace, defaults={"source": source, "written": _written(namespace)})
    LOG.info("Metadata namespace %s is seeded", namespace)
    return True


def _written(namespace: MetadefNamespace) -> str:
    """Return a digest of all that a namespace holds now, whenever it was written."""
    whole = with_contents(namespace)
    fields = ("namespace", "display_name", "description", "visibility", "protected", "owner")
    return _digest(
        {
            "fields": [getattr(whole, name) for name in fields],
            "meant": sorted((row.resource_type.name, row.prefix, row.properties_target) for row in whole.associations.all()),
            "objects": {row.name: [row.description, row.required, row.properties] for row in whole.object_definitions.all()},
            "properties": {row.name: row.schema for row in whole.properties.all()},
            "tags": sorted(row.name for row in whole.tags.all()),
        }
    )


def _digest(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
