"""The rules of the compute service, under the names and with the defaults that OpenStack's compute service has.

Two differ on purpose, and ``servers:share`` is our own. ``create:zero_disk_flavor`` lets members pass, since the flavors ``m1.nano``, ``m1.micro`` and ``cirros256``
of every installation have no disk of their own. Rules on one server also let those pass with whom it was shared (``guardian:``).
"""

from django.utils.translation import gettext_noop as _

from portal.core.policy.rules import Rule, registry

_ADMIN = "rule:context_is_admin"
_MEMBER = "rule:project_member_or_admin"
_MANAGER = "rule:project_manager_or_admin"
_READER = "rule:project_reader_or_admin"
_OWN = "rule:context_is_admin or user_id:%(user_id)s"

BASE = [
    Rule("context_is_admin", "role:admin", _("the role admin"), base=True),
    Rule("admin_api", "role:admin", _("the role admin"), base=True),
    Rule("admin_or_owner", "role:admin or project_id:%(project_id)s", base=True),
    Rule("service_api", "role:service", _("the role service"), base=True),
    Rule("service_or_admin", "rule:service_api or rule:context_is_admin", base=True),
    Rule("project_manager_api", "role:manager and project_id:%(project_id)s", _("a manager of its project"), base=True),
    Rule("project_member_api", "role:member and project_id:%(project_id)s", _("a member of its project"), base=True),
    Rule("project_reader_api", "role:reader and project_id:%(project_id)s", _("a reader of its project"), base=True),
    Rule(
        "project_manager_or_admin",
        "rule:project_manager_api or rule:context_is_admin",
        _("a manager of its project or an admin"),
        base=True,
    ),
    Rule(
        "project_member_or_admin",
        "rule:project_member_api or rule:context_is_admin",
        _("a member of its project or an admin"),
        base=True,
    ),
    Rule(
        "project_reader_or_admin",
        "rule:project_reader_api or rule:context_is_admin",
        _("a reader of its project or an admin"),
        base=True,
    ),
]


def _rule(name: str, check: str, summary: str, perm: str | None = None, shared: bool = False) -> Rule:
    if shared:
        check = f"{check} or guardian:{perm}"
    return Rule(f"os_compute_api:{name}", check, summary, perm)


# Servers
INDEX = _rule("servers:index", _READER, _("List servers."))
DETAIL = _rule("servers:detail", _READER, _("List servers with details."))
INDEX_ALL = _rule("servers:index:get_all_tenants", _ADMIN, _("List the servers of all projects."))
DETAIL_ALL = _rule("servers:detail:get_all_tenants", _ADMIN, _("List the servers of all projects with details."))
ALLOW_ALL_FILTERS = _rule("servers:allow_all_filters", _ADMIN, _("Use every filter when listing servers."))
SHOW = _rule("servers:show", _READER, _("Show a server."), "compute.view_server", shared=True)
SHOW_EXTRA_SPECS = _rule("servers:show:flavor-extra-specs", _READER, _("See the extra specs of a server's flavor."))
SHOW_HOST_STATUS = _rule("servers:show:host_status", _ADMIN, _("See the state of a server's host."))
SHOW_HOST_UNKNOWN = _rule("servers:show:host_status:unknown-only", _ADMIN, _("See when a server's host is silent."))
CREATE = _rule("servers:create", _MEMBER, _("Create a server."), "compute.add_server")
CREATE_ATTACH_NETWORK = _rule("servers:create:attach_network", _MEMBER, _("Create a server on chosen networks."))
CREATE_ZERO_DISK = _rule("servers:create:zero_disk_flavor", _MEMBER, _("Create a server from a flavor without a disk size."))
CREATE_FORCED_HOST = _rule("servers:create:forced_host", _ADMIN, _("Create a server on a chosen host."))
CREATE_DESTINATION = Rule(
    "compute:servers:create:requested_destination", _ADMIN, _("Create a server on a chosen host, if it has room.")
)
UPDATE = _rule("servers:update", _MEMBER, _("Rename a server."), "compute.change_server", shared=True)
DELETE = _rule("servers:delete", _MEMBER, _("Delete a server."), "compute.delete_server", shared=True)
START = _rule("servers:start", _MEMBER, _("Start a stopped server."), "compute.start_server", shared=True)
STOP = _rule("servers:stop", _MEMBER, _("Stop a server."), "compute.stop_server", shared=True)
REBOOT = _rule("servers:reboot", _MEMBER, _("Restart a server."), "compute.reboot_server", shared=True)
CREATE_IMAGE = _rule(
    "servers:create_image", _MEMBER, _("Make an image of a server's disk."), "compute.copy_server", shared=True
)
CREATE_BACKUP = _rule("os-create-backup", _MEMBER, _("Back a server up."), "compute.back_up_server", shared=True)
REBUILD = _rule("servers:rebuild", _MEMBER, _("Rebuild a server."), "compute.rebuild_server", shared=True)
RESCUE = _rule("os-rescue", _MEMBER, _("Rescue a server."), "compute.rescue_server", shared=True)
UNRESCUE = _rule("os-unrescue", _MEMBER, _("End the rescue of a server."), "compute.unrescue_server", shared=True)
SHELVE = _rule("os-shelve:shelve", _MEMBER, _("Shelve a server."), "compute.shelve_server", shared=True)
SHELVE_OFFLOAD = _rule("os-shelve:shelve_offload", _ADMIN, _("Take a shelved server from its host."), "compute.offload_server")
UNSHELVE = _rule("os-shelve:unshelve", _MEMBER, _("Bring a shelved server back."), "compute.unshelve_server", shared=True)
UNSHELVE_TO_HOST = _rule("os-shelve:unshelve_to_host", _ADMIN, _("Bring a shelved server back on a chosen host."))
PAUSE = _rule("os-pause-server:pause", _MEMBER, _("Pause a server."), "compute.pause_server", shared=True)
UNPAUSE = _rule("os-pause-server:unpause", _MEMBER, _("Let a paused server go on."), "compute.unpause_server", shared=True)
SUSPEND = _rule("os-suspend-server:suspend", _MEMBER, _("Suspend a server."), "compute.suspend_server", shared=True)
RESUME = _rule("os-suspend-server:resume", _MEMBER, _("Resume a suspended server."), "compute.resume_server", shared=True)
RESIZE = _rule("servers:resize", _MEMBER, _("Give a server another size."), "compute.resize_server", shared=True)
CONFIRM_RESIZE = _rule(
    "servers:confirm_resize", _MEMBER, _("Keep a server's new size."), "compute.confirm_resize_of_server", shared=True
)
REVERT_RESIZE = _rule(
    "servers:revert_resize", _MEMBER, _("Give a server its old size back."), "compute.revert_resize_of_server", shared=True
)
LOCK = _rule("os-lock-server:lock", _MEMBER, _("Lock a server."), "compute.lock_server", shared=True)
UNLOCK = _rule("os-lock-server:unlock", _MEMBER, _("Unlock a server."), "compute.unlock_server", shared=True)
UNLOCK_OVERRIDE = _rule("os-lock-server:unlock:unlock_override", _ADMIN, _("Unlock a server that somebody else locked."))
RESTORE = _rule("os-deferred-delete:restore", _MEMBER, _("Restore a deleted server."), "compute.restore_server", shared=True)
FORCE_DELETE = _rule(
    "os-deferred-delete:force", _MEMBER, _("Delete a server at once and for good."), "compute.force_delete_server"
)
TRIGGER_CRASH_DUMP = _rule(
    "servers:trigger_crash_dump", _MEMBER, _("Have a server dump its memory."), "compute.crash_dump_server", shared=True
)
ADMIN_PASSWORD = _rule(
    "os-admin-password", _MEMBER, _("Set the administrator's password inside a server."), "compute.set_password_of_server"
)
RESET_STATE = _rule("os-admin-actions:reset_state", _ADMIN, _("Reset the state of a server."))
INJECT_NETWORK_INFO = _rule("os-admin-actions:inject_network_info", _ADMIN, _("Put network information into a server."))
MIGRATE = _rule("os-migrate-server:migrate", _MANAGER, _("Move a server to another host."))
MIGRATE_HOST = _rule("os-migrate-server:migrate:host", _ADMIN, _("Move a server to a chosen host."))
MIGRATE_LIVE = _rule("os-migrate-server:migrate_live", _MANAGER, _("Move a running server to another host."))
MIGRATE_LIVE_HOST = _rule("os-migrate-server:migrate_live:host", _ADMIN, _("Move a running server to a chosen host."))
EVACUATE = _rule("os-evacuate", _ADMIN, _("Rebuild a server of a failed host on another host."))
MIGRATIONS_INDEX = _rule("os-migrations:index", _MANAGER, _("List the migrations of the project."))
MIGRATIONS_ALL = _rule("os-migrations:index:all_projects", _ADMIN, _("List the migrations of all projects."))
MIGRATIONS_HOST = _rule("os-migrations:index:host", _ADMIN, _("See the hosts of migrations."))
SERVER_MIGRATIONS_INDEX = _rule("servers:migrations:index", _MANAGER, _("List the live migrations of a server."))
SERVER_MIGRATIONS_HOST = _rule("servers:migrations:index:host", _ADMIN, _("See the hosts of a server's live migrations."))
SERVER_MIGRATIONS_SHOW = _rule("servers:migrations:show", _ADMIN, _("Show a live migration of a server."))
SERVER_MIGRATIONS_FORCE = _rule("servers:migrations:force_complete", _MANAGER, _("Force a live migration to its end."))
SERVER_MIGRATIONS_DELETE = _rule("servers:migrations:delete", _MANAGER, _("Stop a live migration."))
SHARE = _rule("servers:share", _MEMBER, _("Share a server with others."), "compute.share_server", shared=True)
EXTENDED_ATTRIBUTES = _rule("os-extended-server-attributes", _ADMIN, _("See host and domain of a server."))
METADATA_INDEX = _rule("server-metadata:index", _READER, _("See the metadata of a server."))
METADATA_SHOW = _rule("server-metadata:show", _READER, _("See one item of a server's metadata."))
METADATA_CREATE = _rule("server-metadata:create", _MEMBER, _("Add metadata to a server."))
METADATA_UPDATE = _rule("server-metadata:update", _MEMBER, _("Change one item of a server's metadata."))
METADATA_UPDATE_ALL = _rule("server-metadata:update_all", _MEMBER, _("Replace the metadata of a server."))
METADATA_DELETE = _rule("server-metadata:delete", _MEMBER, _("Delete an item of a server's metadata."))
TAGS_INDEX = _rule("os-server-tags:index", _READER, _("List the tags of a server."))
TAGS_SHOW = _rule("os-server-tags:show", _READER, _("See whether a server has a tag."))
TAGS_UPDATE = _rule("os-server-tags:update", _MEMBER, _("Put a tag on a server."))
TAGS_UPDATE_ALL = _rule("os-server-tags:update_all", _MEMBER, _("Replace the tags of a server."))
TAGS_DELETE = _rule("os-server-tags:delete", _MEMBER, _("Take a tag from a server."))
TAGS_DELETE_ALL = _rule("os-server-tags:delete_all", _MEMBER, _("Take all tags from a server."))
PASSWORD_SHOW = _rule("os-server-password:show", _READER, _("See the sealed password of a server."))
PASSWORD_CLEAR = _rule("os-server-password:clear", _MEMBER, _("Forget the sealed password of a server."))
DIAGNOSTICS = _rule("os-server-diagnostics", _ADMIN, _("See the counters that the hypervisor keeps of a server."))
TOPOLOGY = Rule("compute:server:topology:index", _READER, _("See the NUMA topology of a server."))
TOPOLOGY_HOST = Rule("compute:server:topology:host:index", _ADMIN, _("See where a server's NUMA nodes lie on its host."))
IPS_INDEX = _rule("ips:index", _READER, _("List the addresses of a server."))
IPS_SHOW = _rule("ips:show", _READER, _("List the addresses of a server on one network."))
INTERFACES_LIST = _rule("os-attach-interfaces:list", _READER, _("List the ports of a server."))
INTERFACES_SHOW = _rule("os-attach-interfaces:show", _READER, _("Show a port of a server."))
INTERFACES_CREATE = _rule("os-attach-interfaces:create", _MEMBER, _("Attach a network card to a server."))
INTERFACES_DELETE = _rule("os-attach-interfaces:delete", _MEMBER, _("Detach a network card from a server."))
MULTINIC_ADD = _rule("os-multinic:add", _MEMBER, _("Give a server one more address."))
MULTINIC_REMOVE = _rule("os-multinic:remove", _MEMBER, _("Take an address from a server."))
SERVER_SECURITY_GROUPS_ADD = _rule("os-security-groups:add", _MEMBER, _("Put a server into a security group."))
SERVER_SECURITY_GROUPS_REMOVE = _rule("os-security-groups:remove", _MEMBER, _("Take a server out of a security group."))
SERVER_SECURITY_GROUPS = _rule("os-security-groups:list", _READER, _("List the security groups of a server."))
VOLUME_ATTACHMENTS = _rule("os-volumes-attachments:index", _READER, _("List the volumes of a server."))
VOLUME_ATTACHMENT = _rule("os-volumes-attachments:show", _READER, _("Show a volume of a server."))
FILE_SHARES = _rule("os-server-shares:index", _READER, _("List the file shares of a server."))
FILE_SHARE = _rule("os-server-shares:show", _READER, _("Show a file share of a server."))
FILE_SHARE_CREATE = _rule("os-server-shares:create", _MEMBER, _("Attach a file share to a server."))
FILE_SHARE_DELETE = _rule("os-server-shares:delete", _MEMBER, _("Detach a file share from a server."))

# Consoles
CONSOLE_OUTPUT = _rule(
    "os-console-output", _MEMBER, _("Read the console log of a server."), "compute.read_log_of_server", shared=True
)
REMOTE_CONSOLES = _rule(
    "os-remote-consoles", _MEMBER, _("Open the console of a server."), "compute.open_console_of_server", shared=True
)
CONSOLE_TOKENS = _rule("os-console-auth-tokens", _ADMIN, _("See where the console of a token is to be had."))

# Actions
ACTIONS_LIST = _rule("os-instance-actions:list", _READER, _("List what was done to a server."))
ACTIONS_SHOW = _rule("os-instance-actions:show", _READER, _("Show one thing that was done to a server."))
ACTIONS_EVENTS = _rule("os-instance-actions:events", _ADMIN, _("See the steps of an action with their faults."))
ACTIONS_EVENTS_DETAILS = _rule("os-instance-actions:events:details", _ADMIN, _("See the details of an action's steps."))

# Server groups
GROUPS_INDEX = _rule("os-server-groups:index", _READER, _("List server groups."))
GROUPS_INDEX_ALL = _rule("os-server-groups:index:all_projects", _ADMIN, _("List the server groups of all projects."))
GROUPS_SHOW = _rule("os-server-groups:show", _READER, _("Show a server group."))
GROUPS_CREATE = _rule("os-server-groups:create", _MEMBER, _("Create a server group."))
GROUPS_DELETE = _rule("os-server-groups:delete", _MEMBER, _("Delete a server group."))

# Keypairs
KEYPAIRS_INDEX = _rule("os-keypairs:index", _OWN, _("List keypairs."))
KEYPAIRS_SHOW = _rule("os-keypairs:show", _OWN, _("Show a keypair."), "compute.view_keypair")
KEYPAIRS_CREATE = _rule("os-keypairs:create", _OWN, _("Create or import a keypair."), "compute.add_keypair")
KEYPAIRS_DELETE = _rule("os-keypairs:delete", _OWN, _("Delete a keypair."), "compute.delete_keypair")

# Flavors
FLAVOR_CREATE = _rule("os-flavor-manage:create", _ADMIN, _("Create a flavor."), "compute.add_flavor")
FLAVOR_UPDATE = _rule("os-flavor-manage:update", _ADMIN, _("Change a flavor."), "compute.change_flavor")
FLAVOR_DELETE = _rule("os-flavor-manage:delete", _ADMIN, _("Delete a flavor."), "compute.delete_flavor")
FLAVOR_ACCESS = _rule("os-flavor-access", _ADMIN, _("See which projects may use a flavor."))
FLAVOR_ACCESS_ADD = _rule("os-flavor-access:add_tenant_access", _ADMIN, _("Let a project use a flavor."))
FLAVOR_ACCESS_REMOVE = _rule("os-flavor-access:remove_tenant_access", _ADMIN, _("Take a flavor from a project."))
EXTRA_SPECS_INDEX = _rule("os-flavor-extra-specs:index", _READER, _("List the extra specs of a flavor."))
EXTRA_SPECS_SHOW = _rule("os-flavor-extra-specs:show", _READER, _("Show an extra spec of a flavor."))
EXTRA_SPECS_CREATE = _rule("os-flavor-extra-specs:create", _ADMIN, _("Add extra specs to a flavor."))
EXTRA_SPECS_UPDATE = _rule("os-flavor-extra-specs:update", _ADMIN, _("Change an extra spec of a flavor."))
EXTRA_SPECS_DELETE = _rule("os-flavor-extra-specs:delete", _ADMIN, _("Delete an extra spec of a flavor."))

# What the network service does, for clients that ask compute for it
SECURITY_GROUPS_INDEX = _rule("os-security-groups:get", _READER, _("List security groups through compute."))
SECURITY_GROUPS_SHOW = _rule("os-security-groups:show", _READER, _("Show a security group through compute."))
SECURITY_GROUPS_CREATE = _rule("os-security-groups:create", _MEMBER, _("Create a security group through compute."))
SECURITY_GROUPS_UPDATE = _rule("os-security-groups:update", _MEMBER, _("Change a security group through compute."))
SECURITY_GROUPS_DELETE = _rule("os-security-groups:delete", _MEMBER, _("Delete a security group through compute."))
SECURITY_GROUP_RULES_CREATE = _rule(
    "os-security-groups:rule:create", _MEMBER, _("Add a rule to a security group through compute.")
)
SECURITY_GROUP_RULES_DELETE = _rule(
    "os-security-groups:rule:delete", _MEMBER, _("Delete a security group's rule through compute.")
)
NETWORKS_LIST = _rule("os-networks:list", _READER, _("List networks through compute."))
NETWORKS_SHOW = _rule("os-networks:show", _READER, _("Show a network through compute."))
TENANT_NETWORKS_LIST = _rule("os-tenant-networks:list", _READER, _("List a project's networks through compute."))
TENANT_NETWORKS_SHOW = _rule("os-tenant-networks:show", _READER, _("Show a project's network through compute."))
FLOATING_IP_POOLS = _rule("os-floating-ip-pools", "@", _("List pools of floating IPs through compute."))
FLOATING_IPS_LIST = _rule("os-floating-ips:list", _READER, _("List floating IPs through compute."))
FLOATING_IPS_SHOW = _rule("os-floating-ips:show", _READER, _("Show a floating IP through compute."))
FLOATING_IPS_CREATE = _rule("os-floating-ips:create", _MEMBER, _("Create a floating IP through compute."))
FLOATING_IPS_DELETE = _rule("os-floating-ips:delete", _MEMBER, _("Delete a floating IP through compute."))
FLOATING_IPS_ADD = _rule("os-floating-ips:add", _MEMBER, _("Associate a floating IP with a server."))
FLOATING_IPS_REMOVE = _rule("os-floating-ips:remove", _MEMBER, _("Dissociate a floating IP from a server."))

# The cloud itself
SERVICES_LIST = _rule("os-services:list", _ADMIN, _("List the services and their state."))
SERVICES_UPDATE = _rule("os-services:update", _ADMIN, _("Enable or disable a service."), "compute.change_service")
SERVICES_DELETE = _rule("os-services:delete", _ADMIN, _("Delete a service."), "compute.delete_service")
HYPERVISORS_LIST = _rule("os-hypervisors:list", _ADMIN, _("List hypervisors."))
HYPERVISORS_DETAIL = _rule("os-hypervisors:list-detail", _ADMIN, _("List hypervisors with details."))
HYPERVISORS_SHOW = _rule("os-hypervisors:show", _ADMIN, _("Show a hypervisor."))
HYPERVISORS_STATISTICS = _rule("os-hypervisors:statistics", _ADMIN, _("See the sum of all hypervisors."))
HYPERVISORS_UPTIME = _rule("os-hypervisors:uptime", _ADMIN, _("See how long a hypervisor runs."))
HYPERVISORS_SEARCH = _rule("os-hypervisors:search", _ADMIN, _("Search hypervisors."))
HYPERVISORS_SERVERS = _rule("os-hypervisors:servers", _ADMIN, _("List the servers of a hypervisor."))
ZONES_LIST = _rule("os-availability-zone:list", "@", _("List availability zones."))
ZONES_DETAIL = _rule("os-availability-zone:detail", _ADMIN, _("List availability zones with their hosts."))
LIMITS = _rule("limits", "@", _("See the limits of the project."))
LIMITS_OTHER = _rule("limits:other_project", _ADMIN, _("See the limits of another project."))
QUOTA_SHOW = _rule("os-quota-sets:show", _READER, _("See a project's quota."))
QUOTA_DETAIL = _rule("os-quota-sets:detail", _READER, _("See a project's quota with its use."))
QUOTA_DEFAULTS = _rule("os-quota-sets:defaults", "@", _("See the default quota."))
QUOTA_UPDATE = _rule("os-quota-sets:update", _ADMIN, _("Change a project's quota."))
QUOTA_DELETE = _rule("os-quota-sets:delete", _ADMIN, _("Put a project's quota back to the defaults."))
QUOTA_CLASS_UPDATE = _rule(
    "os-quota-class-sets:update", _ADMIN, _("Change the limits of projects that have none of their own.")
)
QUOTA_CLASS_SHOW = _rule("os-quota-class-sets:show", _ADMIN, _("See a quota class."))
EXTERNAL_EVENTS = _rule(
    "os-server-external-events:create", "rule:service_or_admin", _("Tell the cloud of what happened to servers elsewhere.")
)
ASSISTED_SNAPSHOT_CREATE = _rule(
    "os-assisted-volume-snapshots:create", "rule:service_or_admin", _("Have a host take a snapshot of a volume in use.")
)
ASSISTED_SNAPSHOT_DELETE = _rule(
    "os-assisted-volume-snapshots:delete", "rule:service_or_admin", _("Have a host delete a snapshot of a volume in use.")
)

# Groups of hosts
AGGREGATES_INDEX = _rule("os-aggregates:index", _ADMIN, _("List host aggregates."))
AGGREGATES_SHOW = _rule("os-aggregates:show", _ADMIN, _("Show a host aggregate."), "compute.view_aggregate")
AGGREGATES_CREATE = _rule("os-aggregates:create", _ADMIN, _("Create a host aggregate."), "compute.add_aggregate")
AGGREGATES_UPDATE = _rule(
    "os-aggregates:update", _ADMIN, _("Rename a host aggregate, change its zone."), "compute.change_aggregate"
)
AGGREGATES_DELETE = _rule("os-aggregates:delete", _ADMIN, _("Delete a host aggregate."), "compute.delete_aggregate")
AGGREGATES_ADD_HOST = _rule("os-aggregates:add_host", _ADMIN, _("Add a host to an aggregate."))
AGGREGATES_REMOVE_HOST = _rule("os-aggregates:remove_host", _ADMIN, _("Take a host out of an aggregate."))
AGGREGATES_SET_METADATA = _rule("os-aggregates:set_metadata", _ADMIN, _("Change the metadata of an aggregate."))
AGGREGATES_IMAGES = Rule("compute:aggregates:images", _ADMIN, _("Have the hosts of an aggregate fetch images ahead."))

# What was used
USAGE_LIST = _rule("os-simple-tenant-usage:list", _ADMIN, _("See what all projects used."))
USAGE_SHOW = _rule("os-simple-tenant-usage:show", _READER, _("See what a project used."))
AUDIT_LIST = _rule("os-instance-usage-audit-log:list", _ADMIN, _("See how far the latest audit of use is."))
AUDIT_SHOW = _rule("os-instance-usage-audit-log:show", _ADMIN, _("See an earlier audit of use."))

# Addresses that live on for older clients
HOSTS_LIST = _rule("os-hosts:list", _ADMIN, _("List hosts, as older clients do."))
HOSTS_SHOW = _rule("os-hosts:show", _ADMIN, _("See what a host has and who uses it, as older clients do."))
HOSTS_UPDATE = _rule("os-hosts:update", _ADMIN, _("Enable or disable a host, as older clients do."))
HOSTS_REBOOT = _rule("os-hosts:reboot", _ADMIN, _("Reboot a host."))
HOSTS_SHUTDOWN = _rule("os-hosts:shutdown", _ADMIN, _("Shut a host down."))
HOSTS_START = _rule("os-hosts:start", _ADMIN, _("Start a host."))
BARE_METAL_LIST = _rule("os-baremetal-nodes:list", _ADMIN, _("List bare metal machines through the compute API."))
BARE_METAL_SHOW = _rule("os-baremetal-nodes:show", _ADMIN, _("Show a bare metal machine through the compute API."))
EXTENSIONS = _rule("extensions", "@", _("List extensions."))

RULES = [*BASE, *(value for value in list(vars().values()) if isinstance(value, Rule))]

registry.register("compute", RULES)
