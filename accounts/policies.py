"""Rules of identity, under the names and with the defaults of the Identity service (2025.1)."""

from django.utils.translation import gettext_noop as _

from portal.core.policy.rules import Rule, registry

ADMIN = "rule:admin_required"
SERVICE_OR_ADMIN = "rule:service_or_admin"
SYSTEM_READER = "rule:admin_required or (role:reader and system_scope:all)"
TARGET_READER = f"{SYSTEM_READER} or (role:reader and domain_id:%(target.domain_id)s)"
USER_MANAGER = "rule:admin_required or (role:manager and domain_id:%(target.user.domain_id)s)"
USER_READER = f"{SYSTEM_READER} or (role:reader and domain_id:%(target.user.domain_id)s)"
USER_READER_OR_SELF = f"{USER_READER} or user_id:%(target.user.id)s"
IN_A_DOMAIN = "domain_id:%(target.project.domain_id)s and not None:%(target.project.domain_id)s"
PROJECT_MANAGER = f"rule:admin_required or (role:manager and {IN_A_DOMAIN})"
ASSIGNMENT_READER = f"{SYSTEM_READER} or (role:reader and domain_id:%(target.domain_id)s and not None:%(target.domain_id)s)"
ROLE_READER = f"{SYSTEM_READER} or (role:manager and not domain_id:None)"
GROUP_MANAGER = "rule:admin_required or (role:manager and domain_id:%(target.group.domain_id)s)"
GROUP_READER = f"{SYSTEM_READER} or (role:reader and domain_id:%(target.group.domain_id)s)"
IN_DOMAIN = "domain_id:%(target.group.domain_id)s and domain_id:%(target.user.domain_id)s"
PROJECT_READER = f"{SYSTEM_READER} or (role:reader and {IN_A_DOMAIN}) or project_id:%(target.project.id)s"
GRANTS = [
    f"domain_id:%(target.{actor}.domain_id)s and domain_id:%({place})s"
    for actor in ("user", "group")
    for place in ("target.project.domain_id", "target.domain.id")
]
CREDENTIAL_OWNER = "user_id:%(target.credential.user_id)s"
OWN_ROLE = "(domain_id:%(target.role.domain_id)s or None:%(target.role.domain_id)s)"


def _granting(role: str) -> str:
    return "(" + " or ".join(f"(role:{role} and {where})" for where in GRANTS) + ")"


GRANT_LISTER = f"{SYSTEM_READER} or {_granting('reader')}"
GRANT_READER = f"{SYSTEM_READER} or {_granting('reader')} and {OWN_ROLE}"
GRANT_MANAGER = f"{ADMIN} or {_granting('admin')} and {OWN_ROLE} or {_granting('manager')} and rule:domain_managed_target_role"

BASE = [
    Rule("admin_required", "role:admin or is_admin:1", _("the role admin"), base=True),
    Rule("service_role", "role:service", _("the role service"), base=True),
    Rule("service_or_admin", "rule:admin_required or rule:service_role", _("the role admin or service"), base=True),
    Rule("owner", "user_id:%(user_id)s", _("that it is your own"), base=True),
    Rule("admin_or_owner", "rule:admin_required or rule:owner", _("the role admin, or that it is your own"), base=True),
    Rule("token_subject", "user_id:%(target.token.user_id)s", _("that the token is your own"), base=True),
    Rule("admin_or_token_subject", "rule:admin_required or rule:token_subject", base=True),
    Rule("service_admin_or_token_subject", "rule:service_or_admin or rule:token_subject", base=True),
    Rule(
        "domain_managed_target_role",
        "'manager':%(target.role.name)s or 'member':%(target.role.name)s or 'reader':%(target.role.name)s",
        _("a role that managers of a domain may give"),
        base=True,
    ),
]

CHECK_TOKEN = Rule("identity:check_token", f"{SYSTEM_READER} or rule:token_subject", _("Check a token."))
VALIDATE_TOKEN = Rule(
    "identity:validate_token", f"{SYSTEM_READER} or rule:service_role or rule:token_subject", _("Look into a token.")
)
REVOKE_TOKEN = Rule("identity:revoke_token", f"{ADMIN} or rule:token_subject", _("Revoke a token."))
REVOKE_TOKENS_OF_USER = Rule("identity:revoke_tokens_for_user", "rule:admin_or_owner", _("Revoke all tokens of a user."))

GET_AUTH_CATALOG = Rule("identity:get_auth_catalog", "", _("See the catalog."))
GET_AUTH_PROJECTS = Rule("identity:get_auth_projects", "", _("See one's own projects."))
GET_AUTH_DOMAINS = Rule("identity:get_auth_domains", "", _("See one's own domains."))
GET_AUTH_SYSTEM = Rule("identity:get_auth_system", "", _("See whether one holds a role on the system."))

GET_DOMAIN = Rule(
    "identity:get_domain",
    f"{SYSTEM_READER} or domain_id:%(target.domain.id)s or project_domain_id:%(target.domain.id)s",
    _("See a domain."),
    perm="accounts.view_domain",
)
LIST_DOMAINS = Rule(
    "identity:list_domains", f"{SYSTEM_READER} or (role:reader and domain_id:%(target.domain.id)s)", _("List domains.")
)
CREATE_DOMAIN = Rule("identity:create_domain", ADMIN, _("Make a domain."), perm="accounts.add_domain")
UPDATE_DOMAIN = Rule("identity:update_domain", ADMIN, _("Change a domain."), perm="accounts.change_domain")
DELETE_DOMAIN = Rule("identity:delete_domain", ADMIN, _("Delete a domain."), perm="accounts.delete_domain")

GET_PROJECT = Rule("identity:get_project", PROJECT_READER, _("See a project."), perm="accounts.view_project")
LIST_PROJECTS = Rule("identity:list_projects", TARGET_READER, _("List projects."))
LIST_USER_PROJECTS = Rule("identity:list_user_projects", USER_READER_OR_SELF, _("List the projects of a user."))
CREATE_PROJECT = Rule("identity:create_project", PROJECT_MANAGER, _("Make a project."), perm="accounts.add_project")
UPDATE_PROJECT = Rule("identity:update_project", PROJECT_MANAGER, _("Change a project."), perm="accounts.change_project")
DELETE_PROJECT = Rule("identity:delete_project", PROJECT_MANAGER, _("Delete a project."), perm="accounts.delete_project")
LIST_PROJECT_TAGS = Rule("identity:list_project_tags", PROJECT_READER, _("List the tags of a project."))
GET_PROJECT_TAG = Rule("identity:get_project_tag", PROJECT_READER, _("See whether a project has a tag."))
UPDATE_PROJECT_TAGS = Rule("identity:update_project_tags", PROJECT_MANAGER, _("Replace the tags of a project."))
CREATE_PROJECT_TAG = Rule("identity:create_project_tag", PROJECT_MANAGER, _("Tag a project."))
DELETE_PROJECT_TAGS = Rule("identity:delete_project_tags", PROJECT_MANAGER, _("Remove all tags of a project."))
DELETE_PROJECT_TAG = Rule("identity:delete_project_tag", PROJECT_MANAGER, _("Remove a tag of a project."))

GET_USER = Rule("identity:get_user", USER_READER_OR_SELF, _("See a user."), perm="accounts.view_user")
LIST_USERS = Rule("identity:list_users", TARGET_READER, _("List users."))
CREATE_USER = Rule("identity:create_user", USER_MANAGER, _("Make a user."), perm="accounts.add_user")
UPDATE_USER = Rule("identity:update_user", USER_MANAGER, _("Change a user."), perm="accounts.change_user")
DELETE_USER = Rule("identity:delete_user", USER_MANAGER, _("Delete a user."), perm="accounts.delete_user")

GET_GROUP = Rule("identity:get_group", GROUP_READER, _("See a group."), perm="accounts.view_group")
LIST_GROUPS = Rule("identity:list_groups", GROUP_READER, _("List groups."))
LIST_GROUPS_FOR_USER = Rule(
    "identity:list_groups_for_user",
    f"{USER_READER} or user_id:%(user_id)s",
    _("List the groups of a user."),
)
CREATE_GROUP = Rule("identity:create_group", GROUP_MANAGER, _("Make a group."), perm="accounts.add_group")
UPDATE_GROUP = Rule("identity:update_group", GROUP_MANAGER, _("Change a group."), perm="accounts.change_group")
DELETE_GROUP = Rule("identity:delete_group", GROUP_MANAGER, _("Delete a group."), perm="accounts.delete_group")
LIST_USERS_IN_GROUP = Rule("identity:list_users_in_group", GROUP_READER, _("List the users of a group."))
CHECK_USER_IN_GROUP = Rule(
    "identity:check_user_in_group",
    f"{SYSTEM_READER} or (role:reader and {IN_DOMAIN})",
    _("Check whether a user belongs to a group."),
)
ADD_USER_TO_GROUP = Rule(
    "identity:add_user_to_group", f"{ADMIN} or (role:manager and {IN_DOMAIN})", _("Add a user to a group.")
)
REMOVE_USER_FROM_GROUP = Rule(
    "identity:remove_user_from_group", f"{ADMIN} or (role:manager and {IN_DOMAIN})", _("Remove a user from a group.")
)

GET_ROLE = Rule(
    "identity:get_role",
    f"{SYSTEM_READER} or (role:manager and rule:domain_managed_target_role)",
    _("See a role."),
    perm="accounts.view_role",
)
LIST_ROLES = Rule("identity:list_roles", ROLE_READER, _("List roles."))
CREATE_ROLE = Rule("identity:create_role", ADMIN, _("Make a role."), perm="accounts.add_role")
UPDATE_ROLE = Rule("identity:update_role", ADMIN, _("Change a role."), perm="accounts.change_role")
DELETE_ROLE = Rule("identity:delete_role", ADMIN, _("Delete a role."), perm="accounts.delete_role")
GET_DOMAIN_ROLE = Rule("identity:get_domain_role", SYSTEM_READER, _("See a role of a domain."))
LIST_DOMAIN_ROLES = Rule("identity:list_domain_roles", SYSTEM_READER, _("List roles of a domain."))
CREATE_DOMAIN_ROLE = Rule("identity:create_domain_role", ADMIN, _("Make a role of a domain."))
UPDATE_DOMAIN_ROLE = Rule("identity:update_domain_role", ADMIN, _("Change a role of a domain."))
DELETE_DOMAIN_ROLE = Rule("identity:delete_domain_role", ADMIN, _("Delete a role of a domain."))

GET_IMPLIED_ROLE = Rule("identity:get_implied_role", SYSTEM_READER, _("See an implication between roles."))
LIST_IMPLIED_ROLES = Rule("identity:list_implied_roles", SYSTEM_READER, _("List what a role implies."))
CREATE_IMPLIED_ROLE = Rule(
    "identity:create_implied_role", ADMIN, _("Let a role imply another."), perm="accounts.add_impliedrole"
)
DELETE_IMPLIED_ROLE = Rule("identity:delete_implied_role", ADMIN, _("End an implication."), perm="accounts.delete_impliedrole")
CHECK_IMPLIED_ROLE = Rule("identity:check_implied_role", SYSTEM_READER, _("Check whether a role implies another."))
LIST_ROLE_INFERENCES = Rule("identity:list_role_inference_rules", SYSTEM_READER, _("List all implications between roles."))

LIST_ASSIGNMENTS = Rule(
    "identity:list_role_assignments", ASSIGNMENT_READER, _("List role assignments."), perm="accounts.view_assignment"
)
LIST_ASSIGNMENTS_FOR_TREE = Rule(
    "identity:list_role_assignments_for_tree", ASSIGNMENT_READER, _("List the role assignments of a project and all below it.")
)
CHECK_GRANT = Rule("identity:check_grant", GRANT_READER, _("Check whether a user holds a role."))
LIST_GRANTS = Rule("identity:list_grants", GRANT_LISTER, _("List the roles of a user on a target."))
CREATE_GRANT = Rule("identity:create_grant", GRANT_MANAGER, _("Give a role."), perm="accounts.add_assignment")
REVOKE_GRANT = Rule("identity:revoke_grant", GRANT_MANAGER, _("Take a role away."), perm="accounts.delete_assignment")
CHECK_SYSTEM_GRANT = Rule(
    "identity:check_system_grant_for_user", SYSTEM_READER, _("Check whether a user holds a role on the system.")
)
LIST_SYSTEM_GRANTS = Rule("identity:list_system_grants_for_user", SYSTEM_READER, _("List the roles of a user on the system."))
CREATE_SYSTEM_GRANT = Rule("identity:create_system_grant_for_user", ADMIN, _("Give a role on the system."))
REVOKE_SYSTEM_GRANT = Rule("identity:revoke_system_grant_for_user", ADMIN, _("Take a role on the system away."))
CHECK_SYSTEM_GRANT_FOR_GROUP = Rule(
    "identity:check_system_grant_for_group", SYSTEM_READER, _("Check whether a group holds a role on the system.")
)
LIST_SYSTEM_GRANTS_FOR_GROUP = Rule(
    "identity:list_system_grants_for_group", SYSTEM_READER, _("List the roles of a group on the system.")
)
CREATE_SYSTEM_GRANT_FOR_GROUP = Rule("identity:create_system_grant_for_group", ADMIN, _("Give a group a role on the system."))
REVOKE_SYSTEM_GRANT_FOR_GROUP = Rule(
    "identity:revoke_system_grant_for_group", ADMIN, _("Take a group's role on the system away.")
)

GET_CREDENTIAL = Rule(
    "identity:get_credential",
    f"{SYSTEM_READER} or {CREDENTIAL_OWNER}",
    _("See a credential."),
    perm="accounts.view_credential",
)
LIST_CREDENTIALS = Rule("identity:list_credentials", f"{SYSTEM_READER} or {CREDENTIAL_OWNER}", _("List credentials."))
CREATE_CREDENTIAL = Rule(
    "identity:create_credential", f"{ADMIN} or {CREDENTIAL_OWNER}", _("Make a credential."), perm="accounts.add_credential"
)
UPDATE_CREDENTIAL = Rule(
    "identity:update_credential",
    f"{ADMIN} or {CREDENTIAL_OWNER}",
    _("Change the secret of a credential."),
    perm="accounts.change_credential",
)
DELETE_CREDENTIAL = Rule(
    "identity:delete_credential",
    f"{ADMIN} or {CREDENTIAL_OWNER}",
    _("Delete a credential."),
    perm="accounts.delete_credential",
)
EC2_GET_CREDENTIAL = Rule("identity:ec2_get_credential", f"{SYSTEM_READER} or {CREDENTIAL_OWNER}", _("See an EC2 key pair."))
EC2_LIST_CREDENTIALS = Rule("identity:ec2_list_credentials", f"{SYSTEM_READER} or rule:owner", _("List EC2 key pairs."))
EC2_CREATE_CREDENTIAL = Rule(
    "identity:ec2_create_credential", f"{ADMIN} or (role:member and {CREDENTIAL_OWNER})", _("Make an EC2 key pair.")
)
EC2_DELETE_CREDENTIAL = Rule(
    "identity:ec2_delete_credential", f"{ADMIN} or (role:member and {CREDENTIAL_OWNER})", _("Delete an EC2 key pair.")
)
EC2TOKENS_VALIDATE = Rule(
    "identity:ec2tokens_validate", SERVICE_OR_ADMIN, _("Get a token for a request that was signed with an EC2 key pair.")
)
S3TOKENS_VALIDATE = Rule(
    "identity:s3tokens_validate", SERVICE_OR_ADMIN, _("Get a token for a request that was signed for object storage.")
)

GET_REGION = Rule("identity:get_region", "", _("See a region."), perm="accounts.view_region")
LIST_REGIONS = Rule("identity:list_regions", "", _("List regions."))
CREATE_REGION = Rule("identity:create_region", ADMIN, _("Make a region."), perm="accounts.add_region")
UPDATE_REGION = Rule("identity:update_region", ADMIN, _("Change a region."), perm="accounts.change_region")
DELETE_REGION = Rule("identity:delete_region", ADMIN, _("Delete a region."), perm="accounts.delete_region")
GET_SERVICE = Rule("identity:get_service", SYSTEM_READER, _("See a service."), perm="accounts.view_catalogservice")
LIST_SERVICES = Rule("identity:list_services", SYSTEM_READER, _("List services."))
CREATE_SERVICE = Rule("identity:create_service", ADMIN, _("Make a service."), perm="accounts.add_catalogservice")
UPDATE_SERVICE = Rule("identity:update_service", ADMIN, _("Change a service."), perm="accounts.change_catalogservice")
DELETE_SERVICE = Rule("identity:delete_service", ADMIN, _("Delete a service."), perm="accounts.delete_catalogservice")
GET_ENDPOINT = Rule("identity:get_endpoint", SYSTEM_READER, _("See an endpoint."), perm="accounts.view_endpoint")
LIST_ENDPOINTS = Rule("identity:list_endpoints", SYSTEM_READER, _("List endpoints."))
CREATE_ENDPOINT = Rule("identity:create_endpoint", ADMIN, _("Make an endpoint."), perm="accounts.add_endpoint")
UPDATE_ENDPOINT = Rule("identity:update_endpoint", ADMIN, _("Change an endpoint."), perm="accounts.change_endpoint")
DELETE_ENDPOINT = Rule("identity:delete_endpoint", ADMIN, _("Delete an endpoint."), perm="accounts.delete_endpoint")

CREATE_ENDPOINT_GROUP = Rule(
    "identity:create_endpoint_group", ADMIN, _("Make a group of endpoints."), perm="accounts.add_endpointgroup"
)
LIST_ENDPOINT_GROUPS = Rule("identity:list_endpoint_groups", SYSTEM_READER, _("List groups of endpoints."))
GET_ENDPOINT_GROUP = Rule(
    "identity:get_endpoint_group", SYSTEM_READER, _("See a group of endpoints."), perm="accounts.view_endpointgroup"
)
UPDATE_ENDPOINT_GROUP = Rule(
    "identity:update_endpoint_group", ADMIN, _("Change a group of endpoints."), perm="accounts.change_endpointgroup"
)
DELETE_ENDPOINT_GROUP = Rule(
    "identity:delete_endpoint_group", ADMIN, _("Delete a group of endpoints."), perm="accounts.delete_endpointgroup"
)
LIST_PROJECTS_OF_ENDPOINT_GROUP = Rule(
    "identity:list_projects_associated_with_endpoint_group",
    SYSTEM_READER,
    _("List the projects that see a group of endpoints."),
)
LIST_ENDPOINTS_OF_GROUP = Rule(
    "identity:list_endpoints_associated_with_endpoint_group", SYSTEM_READER, _("List the endpoints of a group.")
)
GET_ENDPOINT_GROUP_IN_PROJECT = Rule(
    "identity:get_endpoint_group_in_project", SYSTEM_READER, _("Check whether a project sees a group of endpoints.")
)
LIST_ENDPOINT_GROUPS_FOR_PROJECT = Rule(
    "identity:list_endpoint_groups_for_project", SYSTEM_READER, _("List the groups of endpoints that a project sees.")
)
ADD_ENDPOINT_GROUP_TO_PROJECT = Rule(
    "identity:add_endpoint_group_to_project", ADMIN, _("Let a project see a group of endpoints.")
)
REMOVE_ENDPOINT_GROUP_FROM_PROJECT = Rule(
    "identity:remove_endpoint_group_from_project", ADMIN, _("Hide a group of endpoints from a project.")
)
LIST_PROJECTS_FOR_ENDPOINT = Rule(
    "identity:list_projects_for_endpoint", SYSTEM_READER, _("List the projects that see an endpoint.")
)
ADD_ENDPOINT_TO_PROJECT = Rule("identity:add_endpoint_to_project", ADMIN, _("Let a project see an endpoint."))
CHECK_ENDPOINT_IN_PROJECT = Rule(
    "identity:check_endpoint_in_project", SYSTEM_READER, _("Check whether a project was given an endpoint.")
)
LIST_ENDPOINTS_FOR_PROJECT = Rule(
    "identity:list_endpoints_for_project", SYSTEM_READER, _("List the endpoints that a project was given.")
)
REMOVE_ENDPOINT_FROM_PROJECT = Rule("identity:remove_endpoint_from_project", ADMIN, _("Hide an endpoint from a project."))

GET_POLICY = Rule(
    "identity:get_policy", SYSTEM_READER, _("See a policy that is kept for a service."), perm="accounts.view_policy"
)
LIST_POLICIES = Rule("identity:list_policies", SYSTEM_READER, _("List the policies that are kept for services."))
CREATE_POLICY = Rule("identity:create_policy", ADMIN, _("Keep a policy for a service."), perm="accounts.add_policy")
UPDATE_POLICY = Rule(
    "identity:update_policy", ADMIN, _("Change a policy that is kept for a service."), perm="accounts.change_policy"
)
DELETE_POLICY = Rule(
    "identity:delete_policy", ADMIN, _("Delete a policy that is kept for a service."), perm="accounts.delete_policy"
)
CREATE_POLICY_FOR_ENDPOINT = Rule("identity:create_policy_association_for_endpoint", ADMIN, _("Give an endpoint a policy."))
CHECK_POLICY_FOR_ENDPOINT = Rule(
    "identity:check_policy_association_for_endpoint", SYSTEM_READER, _("Check the policy of an endpoint.")
)
DELETE_POLICY_FOR_ENDPOINT = Rule(
    "identity:delete_policy_association_for_endpoint", ADMIN, _("Take the policy of an endpoint away.")
)
CREATE_POLICY_FOR_SERVICE = Rule("identity:create_policy_association_for_service", ADMIN, _("Give a service a policy."))
CHECK_POLICY_FOR_SERVICE = Rule(
    "identity:check_policy_association_for_service", SYSTEM_READER, _("Check the policy of a service.")
)
DELETE_POLICY_FOR_SERVICE = Rule(
    "identity:delete_policy_association_for_service", ADMIN, _("Take the policy of a service away.")
)
CREATE_POLICY_FOR_REGION = Rule(
    "identity:create_policy_association_for_region_and_service", ADMIN, _("Give a service in a region a policy.")
)
CHECK_POLICY_FOR_REGION = Rule(
    "identity:check_policy_association_for_region_and_service", SYSTEM_READER, _("Check the policy of a service in a region.")
)
DELETE_POLICY_FOR_REGION = Rule(
    "identity:delete_policy_association_for_region_and_service", ADMIN, _("Take the policy of a service in a region away.")
)
GET_POLICY_FOR_ENDPOINT = Rule("identity:get_policy_for_endpoint", SYSTEM_READER, _("See which policy an endpoint has."))
LIST_ENDPOINTS_FOR_POLICY = Rule(
    "identity:list_endpoints_for_policy", SYSTEM_READER, _("List the endpoints that have a policy.")
)

CREATE_DOMAIN_CONFIG = Rule("identity:create_domain_config", ADMIN, _("Set the configuration of a domain."))
GET_DOMAIN_CONFIG = Rule("identity:get_domain_config", SYSTEM_READER, _("See the configuration of a domain."))
UPDATE_DOMAIN_CONFIG = Rule("identity:update_domain_config", ADMIN, _("Change the configuration of a domain."))
DELETE_DOMAIN_CONFIG = Rule("identity:delete_domain_config", ADMIN, _("Delete the configuration of a domain."))
GET_DOMAIN_CONFIG_DEFAULT = Rule(
    "identity:get_domain_config_default", SYSTEM_READER, _("See the default configuration of domains.")
)
GET_SECURITY_COMPLIANCE = Rule(
    "identity:get_security_compliance_domain_config", "", _("See what passwords have to look like.")
)

GET_CONSUMER = Rule("identity:get_consumer", SYSTEM_READER, _("See an OAuth consumer."), perm="accounts.view_consumer")
LIST_CONSUMERS = Rule("identity:list_consumers", SYSTEM_READER, _("List OAuth consumers."))
CREATE_CONSUMER = Rule("identity:create_consumer", ADMIN, _("Make an OAuth consumer."), perm="accounts.add_consumer")
UPDATE_CONSUMER = Rule("identity:update_consumer", ADMIN, _("Change an OAuth consumer."), perm="accounts.change_consumer")
DELETE_CONSUMER = Rule("identity:delete_consumer", ADMIN, _("Delete an OAuth consumer."), perm="accounts.delete_consumer")
LIST_REVOKE_EVENTS = Rule("identity:list_revoke_events", "rule:service_or_admin", _("List the tokens that were revoked."))

OWNED_READER = f"{SYSTEM_READER} or rule:owner"
RULE_READER = "(role:reader and system_scope:all) or user_id:%(target.user.id)s"
TRUSTOR = "user_id:%(target.trust.trustor_user_id)s"
TRUSTEE = "user_id:%(target.trust.trustee_user_id)s"
TRUST_READER = f"{SYSTEM_READER} or {TRUSTOR} or {TRUSTEE}"

GET_APPLICATION_CREDENTIAL = Rule(
    "identity:get_application_credential",
    OWNED_READER,
    _("See an application credential."),
    perm="accounts.view_applicationcredential",
)
LIST_APPLICATION_CREDENTIALS = Rule(
    "identity:list_application_credentials", OWNED_READER, _("List the application credentials of a user.")
)
CREATE_APPLICATION_CREDENTIAL = Rule(
    "identity:create_application_credential", "user_id:%(user_id)s", _("Make an application credential.")
)
DELETE_APPLICATION_CREDENTIAL = Rule(
    "identity:delete_application_credential",
    "rule:admin_or_owner",
    _("Delete an application credential."),
    perm="accounts.delete_applicationcredential",
)
GET_ACCESS_RULE = Rule("identity:get_access_rule", RULE_READER, _("See an access rule."), perm="accounts.view_accessrule")
LIST_ACCESS_RULES = Rule("identity:list_access_rules", RULE_READER, _("List the access rules of a user."))
DELETE_ACCESS_RULE = Rule(
    "identity:delete_access_rule",
    "(role:admin and system_scope:all) or user_id:%(target.user.id)s",
    _("Delete an access rule."),
    perm="accounts.delete_accessrule",
)

GET_TRUST = Rule("identity:get_trust", TRUST_READER, _("See a trust."), perm="accounts.view_trust")
LIST_TRUSTS = Rule("identity:list_trusts", SYSTEM_READER, _("List all trusts."))
LIST_TRUSTS_FOR_TRUSTOR = Rule(
    "identity:list_trusts_for_trustor", f"{SYSTEM_READER} or {TRUSTOR}", _("List the trusts that a user gave.")
)
LIST_TRUSTS_FOR_TRUSTEE = Rule(
    "identity:list_trusts_for_trustee", f"{SYSTEM_READER} or {TRUSTEE}", _("List the trusts that a user was given.")
)
LIST_ROLES_FOR_TRUST = Rule("identity:list_roles_for_trust", TRUST_READER, _("List the roles that a trust lends."))
GET_ROLE_FOR_TRUST = Rule("identity:get_role_for_trust", TRUST_READER, _("See whether a trust lends a role."))
CREATE_TRUST = Rule("identity:create_trust", TRUSTOR, _("Give a trust."))
DELETE_TRUST = Rule("identity:delete_trust", f"{ADMIN} or {TRUSTOR}", _("Take a trust back."), perm="accounts.delete_trust")

GET_LIMIT_MODEL = Rule("identity:get_limit_model", "", _("See how limits bind each other."))
GET_REGISTERED_LIMIT = Rule(
    "identity:get_registered_limit", "", _("See a registered limit."), perm="accounts.view_registeredlimit"
)
LIST_REGISTERED_LIMITS = Rule("identity:list_registered_limits", "", _("List registered limits."))
CREATE_REGISTERED_LIMITS = Rule(
    "identity:create_registered_limits", ADMIN, _("Register limits."), perm="accounts.add_registeredlimit"
)
UPDATE_REGISTERED_LIMIT = Rule(
    "identity:update_registered_limit", ADMIN, _("Change a registered limit."), perm="accounts.change_registeredlimit"
)
DELETE_REGISTERED_LIMIT = Rule(
    "identity:delete_registered_limit", ADMIN, _("Delete a registered limit."), perm="accounts.delete_registeredlimit"
)
GET_LIMIT = Rule(
    "identity:get_limit",
    f"{SYSTEM_READER} or (domain_id:%(target.limit.domain.id)s or domain_id:%(target.limit.project.domain_id)s)"
    " or (project_id:%(target.limit.project_id)s and not None:%(target.limit.project_id)s)",
    _("See a limit."),
    perm="accounts.view_limit",
)
LIST_LIMITS = Rule("identity:list_limits", "", _("List limits."))
CREATE_LIMITS = Rule("identity:create_limits", ADMIN, _("Set limits."), perm="accounts.add_limit")
UPDATE_LIMIT = Rule("identity:update_limit", ADMIN, _("Change a limit."), perm="accounts.change_limit")
DELETE_LIMIT = Rule("identity:delete_limit", ADMIN, _("Delete a limit."), perm="accounts.delete_limit")

registry.register("identity", [*BASE, *(rule for rule in list(globals().values()) if isinstance(rule, Rule))])
