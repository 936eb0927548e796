"""The rules of the network service, under the names that OpenStack gives them."""

from django.utils.translation import gettext_noop as _

from portal.core.policy import Rule, registry

_ADMIN = Rule("admin_only", "role:admin", _("the role admin"), base=True)
_READER = Rule("project_reader", "role:reader and project_id:%(project_id)s", _("the role reader in its project"), base=True)
_SHARED = Rule("shared", "role:reader and True:%(shared)s", _("that it is shared with every project"), base=True)

_READ = "rule:admin_only or rule:project_reader"

GET_NETWORK = Rule("get_network", f"{_READ} or rule:shared", _("See networks."))
GET_SUBNET = Rule("get_subnet", f"{_READ} or rule:shared", _("See subnets."))
GET_PORT = Rule("get_port", _READ, _("See ports."))
GET_PORT_BINDING = Rule("get_port:binding:host_id", "rule:admin_only", _("See on which host a port is bound."))
GET_SECURITY_GROUP = Rule("get_security_group", _READ, _("See security groups."))
GET_SECURITY_GROUP_RULE = Rule("get_security_group_rule", _READ, _("See the rules of security groups."))
GET_QUOTA = Rule("get_quota", _READ, _("See how many networks, ports and groups a project may have."))

RULES = [
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
