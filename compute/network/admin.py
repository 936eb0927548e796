"""The operators' view of networks: what there is, read-only."""

from django.contrib import admin
from unfold.admin import TabularInline

from compute.network.models import FixedAddress, Network, Port, SecurityGroup, SecurityGroupRule, Subnet
from portal.core.admin import PolicyModelAdmin


class SubnetInline(TabularInline):
    model = Subnet
    fields = readonly_fields = ("name", "cidr", "gateway_ip", "enable_dhcp")
    extra = 0
    can_delete = False


@admin.register(Network)
class NetworkAdmin(PolicyModelAdmin):
    list_display = ("name", "id", "project_id", "shared", "status", "bridge")
    list_filter = ("shared", "status")
    search_fields = ("name", "id")
    inlines = (SubnetInline,)


@admin.register(Port)
class PortAdmin(PolicyModelAdmin):
    list_display = ("id", "network", "mac_address", "device_id", "host", "status")
    list_filter = ("status",)
    search_fields = ("id", "device_id", "mac_address", "fixed_addresses__address")
    list_select_related = ("network",)


@admin.register(FixedAddress)
class FixedAddressAdmin(PolicyModelAdmin):
    list_display = ("address", "subnet", "port")
    search_fields = ("address",)
    list_select_related = ("subnet", "port")


@admin.register(SecurityGroup)
class SecurityGroupAdmin(PolicyModelAdmin):
    list_display = ("name", "id", "project_id")
    search_fields = ("name", "id", "project_id")


@admin.register(SecurityGroupRule)
class SecurityGroupRuleAdmin(PolicyModelAdmin):
    list_display = ("security_group", "direction", "ethertype", "protocol", "port_range_min", "port_range_max")
    list_filter = ("direction", "ethertype")
    list_select_related = ("security_group",)
