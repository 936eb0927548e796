"""JSON schemas by which clients learn the attributes of images, members and tasks.

Follows the Image API reference, "Image schemas".
"""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from images.api.v2.views.base import ImageView
from images.services.attributes import MAX_INT, MAX_OWNER
from images.states import CONTAINER_FORMATS, DISK_FORMATS, ImageStatus, MemberStatus, TaskStatus, TaskType, Visibility

Schema = dict[str, Any]
_UUID = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"


def _text(description: str, length: int | None = None, **more: Any) -> Schema:
    return {"type": "string", "description": description} | ({"maxLength": length} if length else {}) | more


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": ["null", schema["type"]]}


def _fixed(schema: Schema) -> Schema:
    return {**schema, "readOnly": True}


def _number(description: str, **more: Any) -> Schema:
    return {"type": "integer", "description": description, **more}


IMAGE: Schema = {
    "name": "image",
    "properties": {
        "id": _text("An identifier for the image", pattern=_UUID),
        "name": _or_null(_text("Descriptive name for the image", 255)),
        "status": _fixed(_text("Status of the image", enum=[*ImageStatus])),
        "visibility": _text("Scope of image accessibility", enum=[*Visibility]),
        "protected": {"type": "boolean", "description": "If true, image will not be deletable."},
        "os_hidden": {"type": "boolean", "description": "If true, image will not appear in default image list response."},
        "checksum": _fixed(_or_null(_text("md5 hash of image contents.", 32))),
        "os_hash_algo": _fixed(_or_null(_text("Algorithm to calculate os_hash_value", 64))),
        "os_hash_value": _fixed(_or_null(_text("Hexdigest of the image contents using os_hash_algo", 128))),
        "owner": _or_null(_text("Owner of the image", MAX_OWNER)),
        "size": _fixed(_or_null(_number("Size of image file in bytes"))),
        "virtual_size": _fixed(_or_null(_number("Virtual size of image in bytes"))),
        "container_format": _or_null(_text("Format of the container", enum=[None, *CONTAINER_FORMATS])),
        "disk_format": _or_null(_text("Format of the disk", enum=[None, *DISK_FORMATS])),
        "created_at": _fixed(_text("Date and time of image registration")),
        "updated_at": _fixed(_text("Date and time of the last image modification")),
        "tags": {
            "type": "array",
            "description": "List of strings related to the image",
            "items": {"type": "string", "maxLength": 255},
        },
        "min_ram": _number("Amount of ram (in MB) required to boot image.", maximum=MAX_INT),
        "min_disk": _number("Amount of disk space (in GB) required to boot image.", maximum=MAX_INT),
        "self": _fixed(_text("An image self url")),
        "file": _fixed(_text("An image file url")),
        "schema": _fixed(_text("An image schema url")),
        "stores": _fixed(_text("Store in which image data resides.")),
        "locations": {
            "type": "array",
            "description": "A set of URLs to access the image file kept in external store",
            "items": {
                "type": "object",
                "required": ["url", "metadata"],
                "properties": {
                    "url": _text("", 512),
                    "metadata": {"type": "object"},
                    "validation_data": {
                        "type": "object",
                        "required": ["os_hash_algo", "os_hash_value"],
                        "properties": {name: {"type": "string"} for name in ("checksum", "os_hash_algo", "os_hash_value")},
                    },
                },
            },
        },
        "kernel_id": _text("ID of the image that is the kernel of this machine image.", pattern=_UUID),
        "ramdisk_id": _text("ID of the image that is the ramdisk of this machine image.", pattern=_UUID),
        "architecture": _text("Operating system architecture"),
        "os_distro": _text("Common name of operating system distribution"),
        "os_version": _text("Operating system version as specified by the distributor."),
        "instance_uuid": _text("Metadata which can be used to record which instance this image is associated with."),
    },
    "additionalProperties": {"type": "string"},
    "links": [
        {"rel": "self", "href": "{self}"},
        {"rel": "enclosure", "href": "{file}"},
        {"rel": "describedby", "href": "{schema}"},
    ],
}

MEMBER: Schema = {
    "name": "member",
    "properties": {
        "member_id": _text("An identifier for the image member (tenantId)"),
        "image_id": _text("An identifier for the image", pattern=_UUID),
        "status": _text("The status of this image member", enum=[*MemberStatus]),
        "created_at": _text("Date and time of image member creation"),
        "updated_at": _text("Date and time of last modification of image member"),
        "schema": _fixed(_text("")),
    },
}

TASK_STUB: Schema = {
    "name": "task",
    "properties": {
        "id": _text("An identifier for the task", pattern=_UUID),
        "type": _text("The type of task represented by this content", enum=[*TaskType]),
        "status": _text("The current status of this task", enum=[*TaskStatus]),
        "owner": _text("An identifier for the owner of this task"),
        "expires_at": _or_null(_text("Datetime when this resource would be subject to removal")),
        "created_at": _text("Datetime when this resource was created"),
        "updated_at": _text("Datetime when this resource was updated"),
        "self": _fixed(_text("")),
        "schema": _fixed(_text("")),
    },
}

TASK: Schema = {
    "name": "task",
    "properties": {
        **TASK_STUB["properties"],
        "input": {"type": ["null", "object"], "description": "The parameters required by task, JSON blob"},
        "result": {"type": ["null", "object"], "description": "The result of current task, JSON blob"},
        "message": _text("Why the task failed, where it did"),
        "progress": _fixed(_number("How much of the task is done, in per cent", maximum=100)),
        "image_id": _text("Image associated with the task"),
        "request_id": _text("Identifier of the request that began the task"),
        "user_id": _text("User associated with the task"),
    },
}


def _collection(name: str, item: Schema, links: bool) -> Schema:
    schema: Schema = {
        "name": name,
        "properties": {name: {"type": "array", "items": item}, "schema": {"type": "string"}},
        "links": [{"rel": "describedby", "href": "{schema}"}],
    }
    if links:
        schema["properties"] |= {"first": {"type": "string"}, "next": {"type": "string"}}
        schema["links"] = [{"rel": "first", "href": "{first}"}, {"rel": "next", "href": "{next}"}, *schema["links"]]
    return schema


SCHEMAS: dict[str, Schema] = {
    "image": IMAGE,
    "images": _collection("images", IMAGE, links=True),
    "member": MEMBER,
    "members": _collection("members", MEMBER, links=False),
    "task": TASK,
    "tasks": _collection("tasks", TASK_STUB, links=True),
}


class SchemaView(ImageView):
    """GET /v2/schemas/image, images, member, members, task and tasks"""

    name = "image"

    def get(self, request: Request) -> Response:
        return Response(SCHEMAS[self.name])
