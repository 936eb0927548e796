"""Rules of metadata definitions, under the names and with the defaults that OpenStack's image service has.

What lies in a namespace is judged by the namespace: its owner and its visibility.
"""

from django.utils.translation import gettext_noop as _

from portal.core.policy.rules import Rule

_SEEN = "rule:context_is_admin or (role:reader and (project_id:%(project_id)s or 'public':%(visibility)s))"
_ADMIN = "rule:metadef_admin"

DEFAULT = Rule("metadef_default", "", _("anybody, for metadata definitions"), base=True)
ADMIN = Rule("metadef_admin", "rule:context_is_admin", _("who may change metadata definitions"), base=True)

GET_NAMESPACES = Rule(
    "get_metadef_namespaces",
    "rule:context_is_admin or (role:reader and project_id:%(project_id)s)",
    _("List metadata namespaces."),
)
GET_NAMESPACE = Rule("get_metadef_namespace", _SEEN, _("Show a metadata namespace."))
ADD_NAMESPACE = Rule("add_metadef_namespace", _ADMIN, _("Create a metadata namespace."))
MODIFY_NAMESPACE = Rule("modify_metadef_namespace", _ADMIN, _("Change a metadata namespace."))
DELETE_NAMESPACE = Rule("delete_metadef_namespace", _ADMIN, _("Delete a metadata namespace or all that is in it."))

GET_OBJECTS = Rule("get_metadef_objects", _SEEN, _("List the objects of a metadata namespace."))
GET_OBJECT = Rule("get_metadef_object", _SEEN, _("Show an object of a metadata namespace."))
ADD_OBJECT = Rule("add_metadef_object", _ADMIN, _("Add an object to a metadata namespace."))
MODIFY_OBJECT = Rule("modify_metadef_object", _ADMIN, _("Change an object of a metadata namespace."))
DELETE_OBJECT = Rule("delete_metadef_object", _ADMIN, _("Delete an object of a metadata namespace."))

LIST_RESOURCE_TYPES = Rule("list_metadef_resource_types", _SEEN, _("List the resource types of metadata."))
GET_RESOURCE_TYPE = Rule("get_metadef_resource_type", _SEEN, _("Show for which resource types a metadata namespace is meant."))
ADD_ASSOCIATION = Rule(
    "add_metadef_resource_type_association", _ADMIN, _("Say for which resource type a metadata namespace is meant.")
)
REMOVE_ASSOCIATION = Rule(
    "remove_metadef_resource_type_association", _ADMIN, _("Take a resource type from a metadata namespace.")
)

GET_PROPERTIES = Rule("get_metadef_properties", _SEEN, _("List the properties of a metadata namespace."))
GET_PROPERTY = Rule("get_metadef_property", _SEEN, _("Show a property of a metadata namespace."))
ADD_PROPERTY = Rule("add_metadef_property", _ADMIN, _("Add a property to a metadata namespace."))
MODIFY_PROPERTY = Rule("modify_metadef_property", _ADMIN, _("Change a property of a metadata namespace."))
REMOVE_PROPERTY = Rule("remove_metadef_property", _ADMIN, _("Delete a property of a metadata namespace."))

GET_TAGS = Rule("get_metadef_tags", _SEEN, _("List the tags of a metadata namespace."))
GET_TAG = Rule("get_metadef_tag", _SEEN, _("Show a tag of a metadata namespace."))
ADD_TAG = Rule("add_metadef_tag", _ADMIN, _("Add a tag to a metadata namespace."))
ADD_TAGS = Rule("add_metadef_tags", _ADMIN, _("Set or add several tags of a metadata namespace."))
MODIFY_TAG = Rule("modify_metadef_tag", _ADMIN, _("Rename a tag of a metadata namespace."))
DELETE_TAG = Rule("delete_metadef_tag", _ADMIN, _("Delete a tag of a metadata namespace."))
DELETE_TAGS = Rule("delete_metadef_tags", _ADMIN, _("Delete all tags of a metadata namespace."))

RULES = (
    DEFAULT,
    ADMIN,
    GET_NAMESPACES,
    GET_NAMESPACE,
    ADD_NAMESPACE,
    MODIFY_NAMESPACE,
    DELETE_NAMESPACE,
    GET_OBJECTS,
    GET_OBJECT,
    ADD_OBJECT,
    MODIFY_OBJECT,
    DELETE_OBJECT,
    LIST_RESOURCE_TYPES,
    GET_RESOURCE_TYPE,
    ADD_ASSOCIATION,
    REMOVE_ASSOCIATION,
    GET_PROPERTIES,
    GET_PROPERTY,
    ADD_PROPERTY,
    MODIFY_PROPERTY,
    REMOVE_PROPERTY,
    GET_TAGS,
    GET_TAG,
    ADD_TAG,
    ADD_TAGS,
    MODIFY_TAG,
    DELETE_TAG,
    DELETE_TAGS,
)
