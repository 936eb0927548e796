"""The rules of the network service, under the names that OpenStack gives them.

Two differ on purpose. Readers may see the limits of their project here; upstream asks for a manager. Ports on a shared network are
made by members; upstream lets readers make them too. The base rules that no default uses are there for
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
_MEMBER = Rule("project_member", "role:member and project_id:%(project_id)s", _("the role member in its project"), base=True)
_NET_OWNER = Rule("network_owner", "project_id:%(network:project_id)s", _("that the network is its project's"), base=True)
_SG_OWNER = Rule("sg_owner", "project_id:%(security_group:project_id)s", _("that the group is its project's"), base=True)
_NETWORK_DEVICE = Rule("network_device", "True:%(for_network)s", _("that the port belongs to the network itself"), base=True)
_READ = "rule:admin_only or rule:project_reader"
_WRITE = "rule:admin_only or rule:project_member"
_WRITE_ON_OWN = "rule:admin_only or (role:member and rule:network_owner)"
_SERVED_ON_OWN = f"{_WRITE_ON_OWN} or rule:service_api"
_WRITE_OWN_GROUP = "rule:admin_only or (role:member and rule:sg_owner)"

GET_NETWORK = Rule("get_network", f"{_READ} or rule:shared or rule:service_api", _("See networks."))
GET_SUBNET = Rule("get_subnet", f"{_READ} or rule:shared or rule:service_api", _("See subnets."))
GET_PORT = Rule("get_port", f"{_READ} or rule:service_api", _("See ports."))
GET_PORT_BINDING = Rule(
    "get_port:binding:host_id", "rule:admin_only or rule:service_api", _("See on which host a port is bound.")
)
GET_SECURITY_GROUP = Rule("get_security_group", _READ, _("See security groups."))
GET_SECURITY_GROUP_RULE = Rule("get_security_group_rule", _READ, _("See the rules of security groups."))
GET_QUOTA = Rule("get_quota", _READ, _("See how many networks, ports and groups a project may have."))
UPDATE_QUOTA = Rule("update_quota", "rule:admin_only", _("Change how many networks, ports and groups a project may have."))
DELETE_QUOTA = Rule(
    "delete_quota", "rule:admin_only", _("Put a project's limits of networks, ports and groups back to the defaults.")
)

CREATE_NETWORK = Rule("create_network", _WRITE, _("Create a network."))
UPDATE_NETWORK = Rule("update_network", _WRITE, _("Change a network."))
DELETE_NETWORK = Rule("delete_network", _WRITE, _("Delete a network."))
GET_NETWORK_TYPE = Rule("get_network:provider:network_type", "rule:admin_only", _("See how a network is made on the hosts."))
CREATE_SUBNET = Rule("create_subnet", _WRITE_ON_OWN, _("Create a subnet."))
UPDATE_SUBNET = Rule("update_subnet", f"{_WRITE_ON_OWN} or rule:project_member", _("Change a subnet."))
DELETE_SUBNET = Rule("delete_subnet", f"{_WRITE_ON_OWN} or rule:project_member", _("Delete a subnet."))
CREATE_PORT = Rule("create_port", f"{_SERVED_ON_OWN} or (role:member and rule:shared)", _("Create a port."))
UPDATE_PORT = Rule("update_port", f"{_WRITE} or rule:service_api", _("Change a port."))
DELETE_PORT = Rule("delete_port", f"{_SERVED_ON_OWN} or rule:project_member", _("Delete a port."))
CREATE_SECURITY_GROUP = Rule("create_security_group", _WRITE, _("Create a security group."))
UPDATE_SECURITY_GROUP = Rule("update_security_group", _WRITE, _("Change a security group."))
DELETE_SECURITY_GROUP = Rule("delete_security_group", _WRITE, _("Delete a security group."))
CREATE_SECURITY_GROUP_RULE = Rule("create_security_group_rule", _WRITE_OWN_GROUP, _("Add a rule to a security group."))
DELETE_SECURITY_GROUP_RULE = Rule("delete_security_group_rule", _WRITE_OWN_GROUP, _("Delete a rule of a security group."))

# What a request may say of a resource: beside the rule of the request, the rule of each attribute that it names must hold.
ATTRIBUTES = [
    Rule("create_network:shared", "rule:admin_only", _("Create a network that every project may use.")),
    Rule("create_network:router:external", "rule:admin_only", _("Create an external network.")),
    Rule("create_network:provider:network_type", "rule:admin_only", _("Choose how a new network is made on the hosts.")),
    Rule("create_network:port_security_enabled", _WRITE, _("Choose whether ports of a new network are filtered.")),
    Rule("update_network:shared", "rule:admin_only", _("Open a network to every project, or close it.")),
    Rule("update_network:router:external", "rule:admin_only", _("Make a network external.")),
    Rule("update_network:port_security_enabled", _WRITE, _("Choose whether new ports of a network are filtered.")),
    Rule(
        "create_port:device_owner",
        f"not rule:network_device or {_SERVED_ON_OWN}",
        _("Say of a new port what kind of device it belongs to."),
    ),
    Rule("create_port:mac_address", _SERVED_ON_OWN, _("Choose the hardware address of a new port.")),
    Rule("create_port:fixed_ips:ip_address", _SERVED_ON_OWN, _("Choose the address of a new port.")),
    Rule("create_port:port_security_enabled", _SERVED_ON_OWN, _("Create a port that is not filtered.")),
    Rule("create_port:allowed_address_pairs", _SERVED_ON_OWN, _("Let a new port use further addresses.")),
    Rule("create_port:binding:host_id", "rule:admin_only or rule:service_api", _("Choose the host of a new port.")),
    Rule(
        "update_port:device_owner",
        f"not rule:network_device or {_SERVED_ON_OWN}",
        _("Say of a port what kind of device it belongs to."),
    ),
    Rule(
        "update_port:mac_address",
        "rule:admin_only or rule:service_api or (role:manager and rule:network_owner)",
        _("Change the hardware address of a port."),
    ),
    Rule("update_port:fixed_ips:ip_address", _SERVED_ON_OWN, _("Change the address of a port to a chosen one.")),
    Rule("update_port:port_security_enabled", _SERVED_ON_OWN, _("Choose whether a port is filtered.")),
    Rule("update_port:allowed_address_pairs", _SERVED_ON_OWN, _("Let a port use further addresses.")),
    Rule("update_port:binding:host_id", "rule:admin_only or rule:service_api", _("Change the host of a port.")),
]
ATTRIBUTE_RULES = {rule.name: rule for rule in ATTRIBUTES}

RULES = [
    *_FOR_FILES,
    *(value for value in list(vars().values()) if isinstance(value, Rule)),
    *ATTRIBUTES,
]

registry.register("network", RULES)
