"""Addresses under /compute."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from compute.api.v2_1.views import (
    actions,
    aggregates,
    extensions,
    flavors,
    hypervisors,
    images,
    instance_actions,
    keypairs,
    quotas,
    server_groups,
    server_insides,
    server_parts,
    server_tags,
    servers,
    services,
    versions,
    zones,
)

_server = [
    path("", servers.ServerView.as_view()),
    path("/action", actions.ServerActionView.as_view()),
    path("/remote-consoles", actions.RemoteConsolesView.as_view()),
    path("/metadata", server_parts.MetadataView.as_view()),
    path("/metadata/<str:key>", server_parts.MetadataItemView.as_view()),
    path("/ips", server_parts.AddressesView.as_view()),
    path("/ips/<str:label>", server_parts.NetworkAddressesView.as_view()),
    path("/os-interface", server_parts.InterfacesView.as_view()),
    path("/os-interface/<str:port_id>", server_parts.InterfaceView.as_view()),
    path("/os-security-groups", server_parts.ServerSecurityGroupsView.as_view()),
    path("/os-volume_attachments", server_parts.VolumeAttachmentsView.as_view()),
    path("/os-volume_attachments/<str:volume_id>", server_parts.VolumeAttachmentView.as_view()),
    path("/tags", server_tags.ServerTagsView.as_view()),
    path("/tags/<path:tag>", server_tags.ServerTagView.as_view()),
    path("/diagnostics", server_insides.DiagnosticsView.as_view()),
    path("/topology", server_insides.TopologyView.as_view()),
    path("/os-server-password", server_insides.ServerPasswordView.as_view()),
    path("/os-virtual-interfaces", server_insides.VirtualInterfacesView.as_view()),
    path("/os-instance-actions", instance_actions.InstanceActionsView.as_view()),
    path("/os-instance-actions/<str:request_id>", instance_actions.InstanceActionView.as_view()),
]

_flavor = [
    path("", flavors.FlavorView.as_view()),
    path("/action", flavors.FlavorActionView.as_view()),
    path("/os-flavor-access", flavors.FlavorAccessView.as_view()),
    path("/os-extra_specs", flavors.ExtraSpecsView.as_view()),
    path("/os-extra_specs/<str:key>", flavors.ExtraSpecView.as_view()),
]

_image = [
    path("", images.ImageView.as_view()),
    path("/metadata", images.ImageMetadataView.as_view()),
    path("/metadata/<str:key>", images.ImageMetadataItemView.as_view()),
]

_hypervisors = [
    path("", hypervisors.HypervisorsView.as_view()),
    path("/detail", hypervisors.HypervisorsDetailView.as_view()),
    path("/statistics", hypervisors.HypervisorStatisticsView.as_view()),
    path("/<str:hypervisor_id>", hypervisors.HypervisorView.as_view()),
    path("/<str:hypervisor_id>/uptime", hypervisors.HypervisorUptimeView.as_view()),
    path("/<str:pattern>/search", hypervisors.HypervisorSearchView.as_view()),
    path("/<str:pattern>/servers", hypervisors.HypervisorServersView.as_view()),
]

_v2_1: list[URLPattern | URLResolver] = [
    path("/servers", servers.ServersView.as_view()),
    path("/servers/detail", servers.ServersDetailView.as_view()),
    path("/servers/<str:server_id>", include(_server)),
    path("/flavors", flavors.FlavorsView.as_view()),
    path("/flavors/detail", flavors.FlavorsDetailView.as_view()),
    path("/flavors/<str:flavor_id>", include(_flavor)),
    path("/images", images.ImagesView.as_view()),
    path("/images/detail", images.ImagesDetailView.as_view()),
    path("/images/<str:image_id>", include(_image)),
    path("/os-server-groups", server_groups.ServerGroupsView.as_view()),
    path("/os-server-groups/<str:group_id>", server_groups.ServerGroupView.as_view()),
    path("/os-keypairs", keypairs.KeypairsView.as_view()),
    path("/os-keypairs/<str:name>", keypairs.KeypairView.as_view()),
    path("/limits", quotas.LimitsView.as_view()),
    path("/os-quota-sets/<str:project_id>", quotas.QuotaSetView.as_view()),
    path("/os-quota-sets/<str:project_id>/defaults", quotas.QuotaDefaultsView.as_view()),
    path("/os-quota-sets/<str:project_id>/detail", quotas.QuotaSetDetailView.as_view()),
    path("/os-quota-class-sets/<str:name>", quotas.QuotaClassView.as_view()),
    path("/os-services", services.ServicesView.as_view()),
    path("/os-services/<str:name>", services.ServiceView.as_view()),
    path("/os-hypervisors", include(_hypervisors)),
    path("/os-aggregates", aggregates.AggregatesView.as_view()),
    path("/os-availability-zone", zones.ZonesView.as_view()),
    path("/os-availability-zone/detail", zones.ZonesDetailView.as_view()),
    path("/extensions", extensions.ExtensionsView.as_view()),
    path("/extensions/<str:alias>", extensions.ExtensionView.as_view()),
]

urlpatterns = [
    path("", versions.VersionsView.as_view()),
    path("/", versions.VersionsView.as_view()),
    re_path(r"^/v2\.1/?$", versions.VersionView.as_view()),
    re_path(r"^/v2/?$", versions.VersionView.as_view(api=versions.OLDER)),
    path("/v2.1", include(_v2_1)),
    path("/v2", include(_v2_1)),
    re_path(r"^/.*$", versions.UnknownView.as_view()),
]
