"""Images as lists show them: plain tuples with the names of a model's attributes, since making models takes longer than reading rows."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from django.db.models import QuerySet

from images.models.image import Image
from images.states import STORED


class ListedImage(NamedTuple):
    """What lists show of an image."""

    id: str
    name: str | None
    owner: str | None
    visibility: str
    status: str
    container_format: str | None
    disk_format: str | None
    size: int | None
    virtual_size: int | None
    checksum: str | None
    os_hash_algo: str | None
    os_hash_value: str | None
    min_disk: int
    min_ram: int
    protected: bool
    os_hidden: bool
    created_at: datetime
    updated_at: datetime
    import_task_id: str | None
    importing_to_stores: str | None
    failed_import: str | None
    gathered_properties: str | None
    gathered_tags: str | None
    gathered_stores: str | None

    @property
    def pk(self) -> str:
        """The image's id."""
        return self.id

    @property
    def has_data(self) -> bool:
        """Whether all bytes are in the store."""
        return self.status in STORED

    @property
    def custom(self) -> dict[str, str]:
        """The image's own properties."""
        return dict(msgspec.json.decode(self.gathered_properties or "{}"))

    @property
    def store_names(self) -> set[str]:
        """The stores that hold a copy."""
        return set(msgspec.json.decode(self.gathered_stores or "[]"))

    @property
    def tag_names(self) -> list[str]:
        """The image's tags in order."""
        return sorted(msgspec.json.decode(self.gathered_tags or "[]"))

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return Image(pk=self.id, owner=self.owner, visibility=self.visibility, status=self.status).policy_target()


def listed(rows: QuerySet[Image]) -> list[ListedImage]:
    """Return rows that were asked for with their details, in one query."""
    return [ListedImage._make(row) for row in rows.values_list(*ListedImage._fields)]
