"""Addresses of the Identity API, version 3, below ``/identity``."""

from django.urls import URLPattern, URLResolver, include, path

from accounts.api.v3.views import (
    access_rules,
    application_credentials,
    assignments,
    auth,
    catalog,
    consumers,
    credentials,
    domain_settings,
    ec2,
    endpoint_filters,
    groups,
    limits,
    policies,
    projects,
    roles,
    tags,
    trusts,
    users,
    versions,
)

grants: list[URLPattern | URLResolver] = [
    path("users/<str:user>/roles", assignments.GrantedRolesView.as_view()),
    path("users/<str:user>/roles/<str:role>", assignments.GrantedRoleView.as_view()),
    path("groups/<str:group>/roles", assignments.GrantedRolesView.as_view()),
    path("groups/<str:group>/roles/<str:role>", assignments.GrantedRoleView.as_view()),
]

inherited: list[URLPattern | URLResolver] = [
    path(f"{kind}/roles{ending}/inherited_to_projects", view.as_view(inherited=True))
    for kind in ("users/<str:user>", "groups/<str:group>")
    for ending, view in (("", assignments.GrantedRolesView), ("/<str:role>", assignments.GrantedRoleView))
]

endpoint_filter: list[URLPattern | URLResolver] = [
    path("endpoint_groups", endpoint_filters.EndpointGroupsView.as_view()),
    path("endpoint_groups/<str:key>", endpoint_filters.EndpointGroupView.as_view()),
    path("endpoint_groups/<str:group>/endpoints", endpoint_filters.GroupEndpointsView.as_view()),
    path("endpoint_groups/<str:group>/projects", endpoint_filters.GroupProjectsView.as_view()),
    path("endpoint_groups/<str:group>/projects/<str:project>", endpoint_filters.GroupProjectView.as_view()),
    path("projects/<str:project>/endpoint_groups", endpoint_filters.ProjectGroupsView.as_view()),
    path("projects/<str:project>/endpoints", endpoint_filters.ProjectEndpointsView.as_view()),
    path("projects/<str:project>/endpoints/<str:endpoint>", endpoint_filters.ProjectEndpointView.as_view()),
    path("endpoints/<str:endpoint>/projects", endpoint_filters.EndpointProjectsView.as_view()),
]

endpoint_policy: list[URLPattern | URLResolver] = [
    path("endpoints", policies.PolicyEndpointsView.as_view()),
    path("endpoints/<str:endpoint>", policies.PolicyTargetView.as_view()),
    path("services/<str:service>", policies.PolicyTargetView.as_view()),
    path("services/<str:service>/regions/<str:region>", policies.PolicyTargetView.as_view()),
]

domain_config: list[URLPattern | URLResolver] = [
    path("config/default", domain_settings.DefaultSettingsView.as_view()),
    path("config/<str:group>/default", domain_settings.DefaultSettingsView.as_view()),
    path("config/<str:group>/<str:option>/default", domain_settings.DefaultSettingsView.as_view()),
    path("<str:domain>/config/security_compliance", domain_settings.SecurityComplianceView.as_view()),
    path("<str:domain>/config/security_compliance/<str:option>", domain_settings.SecurityComplianceView.as_view()),
    path("<str:domain>/config", domain_settings.DomainSettingsView.as_view()),
    path("<str:domain>/config/<str:group>", domain_settings.DomainSettingsView.as_view()),
    path("<str:domain>/config/<str:group>/<str:option>", domain_settings.DomainSettingsView.as_view()),
]

v3: list[URLPattern | URLResolver] = [
    path("auth/tokens", auth.TokensView.as_view()),
    path("auth/catalog", auth.AuthCatalogView.as_view()),
    path("auth/projects", auth.AuthProjectsView.as_view()),
    path("auth/domains", auth.AuthDomainsView.as_view()),
    path("auth/system", auth.AuthSystemView.as_view()),
    path("users", users.UsersView.as_view()),
    path("users/<str:key>", users.UserView.as_view()),
    path("users/<str:key>/projects", users.UserProjectsView.as_view()),
    path("users/<str:key>/password", users.UserPasswordView.as_view()),
    path("users/<str:key>/tokens", users.UserTokensView.as_view()),
    path("users/<str:key>/groups", groups.UserGroupsView.as_view()),
    path("users/<str:user>/application_credentials", application_credentials.ApplicationCredentialsView.as_view()),
    path("users/<str:user>/application_credentials/<str:key>", application_credentials.ApplicationCredentialView.as_view()),
    path("users/<str:user>/access_rules", access_rules.AccessRulesView.as_view()),
    path("users/<str:user>/access_rules/<str:key>", access_rules.AccessRuleView.as_view()),
    path("OS-TRUST/trusts", trusts.TrustsView.as_view()),
    path("OS-TRUST/trusts/", trusts.TrustsView.as_view()),
    path("OS-TRUST/trusts/<str:key>", trusts.TrustView.as_view()),
    path("OS-TRUST/trusts/<str:key>/roles", trusts.TrustRolesView.as_view()),
    path("OS-TRUST/trusts/<str:key>/roles/<str:role>", trusts.TrustRoleView.as_view()),
    path("users/<str:user>/credentials/OS-EC2", ec2.PairsView.as_view()),
    path("users/<str:user>/credentials/OS-EC2/<str:access>", ec2.PairView.as_view()),
    path("ec2tokens", ec2.Ec2TokensView.as_view()),
    path("s3tokens", ec2.S3TokensView.as_view()),
    path("credentials", credentials.CredentialsView.as_view()),
    path("credentials/<str:key>", credentials.CredentialView.as_view()),
    path("groups", groups.GroupsView.as_view()),
    path("groups/<str:key>", groups.GroupView.as_view()),
    path("groups/<str:group>/users", groups.GroupUsersView.as_view()),
    path("groups/<str:group>/users/<str:user>", groups.GroupUserView.as_view()),
    path("projects", projects.ProjectsView.as_view()),
    path("projects/<str:key>", projects.ProjectView.as_view()),
    path("projects/<str:project>/tags", tags.ProjectTagsView.as_view()),
    path("projects/<str:project>/tags/<str:tag>", tags.ProjectTagView.as_view()),
    path("projects/<str:project>/", include(grants)),
    path("OS-INHERIT/projects/<str:project>/", include(inherited)),
    path("OS-INHERIT/domains/<str:domain>/", include(inherited)),
    path("domains/", include(domain_config)),
    path("domains", projects.DomainsView.as_view()),
    path("domains/<str:key>", projects.DomainView.as_view()),
    path("domains/<str:domain>/", include(grants)),
    path("system/", include(grants)),
    path("roles", roles.RolesView.as_view()),
    path("roles/<str:key>", roles.RoleView.as_view()),
    path("roles/<str:prior>/implies", roles.ImpliesView.as_view()),
    path("roles/<str:prior>/implies/<str:implied>", roles.ImplicationView.as_view()),
    path("role_inferences", roles.RoleInferencesView.as_view()),
    path("role_assignments", assignments.RoleAssignmentsView.as_view()),
    path("regions", catalog.RegionsView.as_view()),
    path("regions/<str:key>", catalog.RegionView.as_view()),
    path("services", catalog.ServicesView.as_view()),
    path("services/<str:key>", catalog.ServiceView.as_view()),
    path("endpoints", catalog.EndpointsView.as_view()),
    path("endpoints/<str:key>", catalog.EndpointView.as_view()),
    path("endpoints/<str:endpoint>/OS-ENDPOINT-POLICY/policy", policies.EndpointPolicyView.as_view()),
    path("OS-EP-FILTER/", include(endpoint_filter)),
    path("policies", policies.PoliciesView.as_view()),
    path("policies/<str:key>", policies.PolicyView.as_view()),
    path("policies/<str:policy>/OS-ENDPOINT-POLICY/", include(endpoint_policy)),
    path("registered_limits", limits.RegisteredLimitsView.as_view()),
    path("registered_limits/<str:key>", limits.RegisteredLimitView.as_view()),
    path("limits", limits.LimitsView.as_view()),
    path("limits/model", limits.LimitModelView.as_view()),
    path("limits/<str:key>", limits.LimitView.as_view()),
    path("OS-OAUTH1/consumers", consumers.ConsumersView.as_view()),
    path("OS-OAUTH1/consumers/<str:key>", consumers.ConsumerView.as_view()),
    path("OS-REVOKE/events", consumers.RevocationsView.as_view()),
]

urlpatterns = [
    path("", versions.VersionsView.as_view(), name="identity-versions"),
    path("/", versions.VersionsView.as_view()),
    path("/v3", versions.VersionView.as_view(), name="identity-v3"),
    path("/v3/", versions.VersionView.as_view()),
    path("/v3/", include(v3)),
    path("/<path:rest>", versions.UnknownView.as_view()),
]
