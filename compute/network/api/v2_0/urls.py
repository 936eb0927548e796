"""Addresses under /network."""

from django.urls import path, re_path

from compute.network.api.v2_0.views import (
    agents,
    extensions,
    networks,
    ports,
    quotas,
    security_groups,
    subnets,
    versions,
)

urlpatterns = [
    path("", versions.VersionsView.as_view()),
    path("/", versions.VersionsView.as_view()),
    re_path(r"^/v2\.0/?$", versions.ResourcesView.as_view()),
    path("/v2.0/networks", networks.NetworksView.as_view()),
    path("/v2.0/networks/<str:resource_id>", networks.NetworkView.as_view()),
    path("/v2.0/subnets", subnets.SubnetsView.as_view()),
    path("/v2.0/subnets/<str:resource_id>", subnets.SubnetView.as_view()),
    path("/v2.0/ports", ports.PortsView.as_view()),
    path("/v2.0/ports/<str:resource_id>", ports.PortView.as_view()),
    path("/v2.0/security-groups", security_groups.SecurityGroupsView.as_view()),
    path("/v2.0/security-groups/<str:resource_id>", security_groups.SecurityGroupView.as_view()),
    path("/v2.0/security-group-rules", security_groups.SecurityGroupRulesView.as_view()),
    path("/v2.0/security-group-rules/<str:resource_id>", security_groups.SecurityGroupRuleView.as_view()),
    path("/v2.0/extensions", extensions.ExtensionsView.as_view()),
    path("/v2.0/extensions/<str:alias>", extensions.ExtensionView.as_view()),
    path("/v2.0/quotas", quotas.QuotasView.as_view()),
    path("/v2.0/quotas/project", quotas.QuotaProjectView.as_view()),
    path("/v2.0/quotas/tenant", quotas.QuotaProjectView.as_view(word="tenant")),
    path("/v2.0/quotas/<str:project_id>", quotas.QuotaView.as_view()),
    path("/v2.0/quotas/<str:project_id>/default", quotas.QuotaDefaultsView.as_view()),
    path("/v2.0/quotas/<str:project_id>/details", quotas.QuotaDetailsView.as_view()),
    path("/v2.0/quotas/<str:project_id>/details.json", quotas.QuotaDetailsView.as_view()),
    path("/v2.0/agents", agents.AgentsView.as_view()),
    path("/v2.0/agents/<str:agent_id>", agents.AgentView.as_view()),
    re_path(r"^/.*$", versions.UnknownView.as_view()),
]
