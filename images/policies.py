"""Rules of the image service, under the names and with the defaults that OpenStack's image service has.

``share_image`` is our own. One part differs on purpose: upstream's ``get_image`` lets everybody pass who asks for a shared image and leaves hiding to the
database layer. Here the rule itself names the member project, so it is true wherever it is asked.
"""

from django.utils.translation import gettext_noop as _

from images import metadef_policies
from portal.core.policy.rules import Rule, registry

_MEMBER = "rule:context_is_admin or rule:project_member"
_READER = "rule:context_is_admin or rule:project_reader"
_SEEN = "project_id:%(project_id)s or project_id:%(member_id)s or 'public':%(visibility)s or 'community':%(visibility)s"

BASE = [
    Rule("default", "", _("anybody"), base=True),
    Rule("context_is_admin", "role:admin", _("the role admin"), base=True),
    Rule("service_api", "role:service", _("the role service"), base=True),
    Rule("project_member", "role:member and project_id:%(project_id)s", _("a member of the image's project"), base=True),
    Rule("project_reader", "role:reader and project_id:%(project_id)s", _("a reader of the image's project"), base=True),
    Rule("image_seen", _SEEN, _("an image that is open to your project"), base=True),
    Rule(
        "image_shared_with",
        "role:member and project_id:%(member_id)s",
        _("a member of the project it is shared with"),
        base=True,
    ),
]

GET_IMAGES = Rule("get_images", _READER, _("List images."))
GET_IMAGE = Rule(
    "get_image",
    "rule:context_is_admin or (role:reader and rule:image_seen) or guardian:images.view_image",
    _("Show an image."),
    perm="images.view_image",
)
DOWNLOAD_IMAGE = Rule(
    "download_image",
    "rule:context_is_admin or (role:member and rule:image_seen) or guardian:images.download_image",
    _("Download an image."),
    perm="images.download_image",
)
ADD_IMAGE = Rule(
    "add_image",
    "rule:context_is_admin or (role:member and project_id:%(project_id)s and project_id:%(owner)s)",
    _("Create an image."),
    perm="images.add_image",
)
MODIFY_IMAGE = Rule(
    "modify_image", f"{_MEMBER} or guardian:images.change_image", _("Change an image."), perm="images.change_image"
)
UPLOAD_IMAGE = Rule("upload_image", _MEMBER, _("Upload an image's data."), perm="images.upload_image")
DELETE_IMAGE = Rule(
    "delete_image", f"{_MEMBER} or guardian:images.delete_image", _("Delete an image."), perm="images.delete_image"
)
PUBLICIZE_IMAGE = Rule("publicize_image", "rule:context_is_admin", _("Make an image public."), perm="images.publicize_image")
COMMUNITIZE_IMAGE = Rule(
    "communitize_image", _MEMBER, _("Open an image to everybody who knows its id."), perm="images.communitize_image"
)
DEACTIVATE = Rule("deactivate", _MEMBER, _("Deactivate an image."), perm="images.deactivate_image")
REACTIVATE = Rule("reactivate", _MEMBER, _("Reactivate an image."), perm="images.reactivate_image")

SHARE_IMAGE = Rule(
    "share_image",
    f"{_MEMBER} or guardian:images.grant_image",
    _("Share an image with people and projects."),
    perm="images.grant_image",
)

GET_MEMBERS = Rule(
    "get_members", f"{_READER} or (role:reader and project_id:%(member_id)s)", _("List the projects an image is shared with.")
)
GET_MEMBER = Rule(
    "get_member", f"{_READER} or (role:reader and project_id:%(member_id)s)", _("Show a project an image is shared with.")
)
ADD_MEMBER = Rule("add_member", _MEMBER, _("Share an image with a project."), perm="images.share_image")
DELETE_MEMBER = Rule("delete_member", _MEMBER, _("Stop sharing an image with a project."), perm="images.unshare_image")
MODIFY_MEMBER = Rule("modify_member", "rule:context_is_admin or rule:image_shared_with", _("Accept or reject a shared image."))

GET_IMAGE_LOCATION = Rule("get_image_location", _READER, _("Show where an image's data lies."))
SET_IMAGE_LOCATION = Rule("set_image_location", _MEMBER, _("Say where an image's data lies."))
DELETE_IMAGE_LOCATION = Rule(
    "delete_image_location", "rule:context_is_admin", _("Delete one of the copies of an image's data.")
)

ADD_IMAGE_LOCATION = Rule(
    "add_image_location",
    "rule:service_api or (role:member and project_id:%(project_id)s and project_id:%(owner)s)",
    _("Add a place where an image's data lies."),
)
FETCH_IMAGE_LOCATION = Rule("fetch_image_location", "rule:service_api", _("List the places where an image's data lies."))
COPY_IMAGE = Rule("copy_image", "rule:context_is_admin", _("Copy an image's data to more stores."))

GET_TASK = Rule("get_task", "rule:default", _("Show a task of an image."))
GET_TASKS = Rule("get_tasks", "rule:default", _("List tasks of images."))
ADD_TASK = Rule("add_task", "rule:default", _("Begin a task of an image."))
TASKS_API = Rule("tasks_api_access", "rule:context_is_admin", _("Use the tasks API."))

GET_STORES = Rule("stores_info_detail", "rule:context_is_admin or rule:service_api", _("Show details of image stores."))

CACHE_LIST = Rule("cache_list", "rule:context_is_admin", _("See which images lie in the caches of hosts."))
CACHE_NODES = Rule("list_cached_nodes", "rule:context_is_admin", _("See on which hosts an image is cached."))
CACHE_IMAGE = Rule("cache_image", "rule:context_is_admin", _("Bring an image into the caches of hosts."))
CACHE_DELETE = Rule("cache_delete", "rule:context_is_admin", _("Remove images from the caches of hosts."))

registry.register(
    "image",
    [
        *BASE,
        GET_IMAGES,
        GET_IMAGE,
        DOWNLOAD_IMAGE,
        ADD_IMAGE,
        MODIFY_IMAGE,
        UPLOAD_IMAGE,
        DELETE_IMAGE,
        PUBLICIZE_IMAGE,
        COMMUNITIZE_IMAGE,
        DEACTIVATE,
        REACTIVATE,
        SHARE_IMAGE,
        GET_MEMBERS,
        GET_MEMBER,
        ADD_MEMBER,
        DELETE_MEMBER,
        MODIFY_MEMBER,
        GET_IMAGE_LOCATION,
        SET_IMAGE_LOCATION,
        DELETE_IMAGE_LOCATION,
        ADD_IMAGE_LOCATION,
        FETCH_IMAGE_LOCATION,
        COPY_IMAGE,
        GET_TASK,
        GET_TASKS,
        ADD_TASK,
        TASKS_API,
        GET_STORES,
        CACHE_LIST,
        CACHE_NODES,
        CACHE_IMAGE,
        CACHE_DELETE,
        *metadef_policies.RULES,
    ],
)
