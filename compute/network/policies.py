"""The rules of the network service, under the names that OpenStack gives them.

Readers may see the limits of their project here; upstream asks for a manager. The base rules that no default uses are there for
files of a running OpenStack, which refer to them.
"""

from django.utils.translation import gettext_noop as _

from portal.core.policy import Rule, registry

_ADMIN = Rule("admin_only", "role:admin", _("the role admin"), base=True)
_READER = Rule("project_reader", "role:reader and project_id:%(project_id)s", _("the role reader in its project"), base=True)
_SHARED = Rule("shared", "role:reader and True:%(shared)s", _("that it is shared with every project"), base=True)

_FOR_FILES = [
    Rule("context_is_admin", "role:admin", _("the role admin"), base=True),
    Rule("service_api", "role:service", _("the role service"), base=True),
    Rule("owner", "project_id:%(project_id)s", base=True),
    Rule("admin_or_owner", "rule:context_is_admin or rule:owner", base=True),
    Rule("regular_user", "", base=True),
    Rule("default", "rule:admin_or_owner", base=True),
]
_READ = "rule:admin_only or rule:project_reader"

GET_NETWORK = Rule("get_network", f"{_READ} or rule:shared or rule:service_api", _("See networks."))
GET_SUBNET = Rule("get_subnet", f"{_READ} or rule:shared or rule:service_api", _("See subnets."))
GET_PORT = Rule("get_port", f"{_READ} or rule:service_api", _("See ports."))
GET_PORT_BINDING = Rule(
    "get_port:binding:host_id", "rule:admin_only or rule:service_api", _("See on which host a port is bound.")
)
GET_SECURITY_GROUP = Rule("get_security_group", _READ, _("See security groups."))
GET_SECURITY_GROUP_RULE = Rule("get_security_group_rule", _READ, _("See the rules of security groups."))
GET_QUOTA = Rule("get_quota", _READ, _("See how many networks, ports and groups a project may have."))

RULES = [
    *_FOR_FILES,
    _ADMIN,
    _READER,
    _SHARED,
    GET_NETWORK,
    GET_SUBNET,
    GET_PORT,
    GET_PORT_BINDING,
    GET_SECURITY_GROUP,
    GET_SECURITY_GROUP_RULE,
    GET_QUOTA,
]

registry.register("network", RULES)
