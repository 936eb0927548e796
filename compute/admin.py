"""Compute on the operators' site: everything can be read; what can be done goes through services."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from compute.models import (
    ActionEvent,
    ConsoleToken,
    Flavor,
    FlavorAccess,
    Host,
    HostImage,
    Keypair,
    Migration,
    PlacementDecision,
    Server,
    ServerAction,
    ServerDefinition,
    ServerFault,
    Service,
)
from compute.services import administration, deferred, flavors, hosts, lifecycle, locks, power
from compute.states import VmState
from portal.core.admin import PolicyModelAdmin
from portal.core.errors import CloudError
from portal.core.requests import CloudRequest


class ServiceCallingAdmin(PolicyModelAdmin):
    """Runs a service on each chosen row and tells what came of it."""

    def run(self, request: CloudRequest, rows: QuerySet[Any], argument: str, service: Any, **more: Any) -> None:
        done = 0
        for row in rows:
            try:
                service(ctx=self.operator(request), **{argument: row}, **more)
            except CloudError as error:
                self.message_user(request, f"{row}: {error.message}", messages.ERROR)
            else:
                done += 1
        if done:
            self.message_user(request, _("Asked for %(n)d.") % {"n": done}, messages.SUCCESS)


@admin.register(Server)
class ServerAdmin(ServiceCallingAdmin):
    list_display = ("name", "id", "status", "vm_state", "task_state", "project_name", "user_name", "host", "created_at")
    list_filter = ("vm_state", "task_state", "host", "availability_zone")
    search_fields = ("id", "name", "project_id", "user_id", "request_id")
    actions = (
        *("start", "stop", "reboot", "reboot_hard", "unlock"),
        *("reset_active", "reset_error", "delete_servers", "delete_for_good"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Server]:
        rows: QuerySet[Server] = super().get_queryset(request)
        return rows.select_related("number")

    @admin.action(description=gettext_lazy("Start"))
    def start(self, request: CloudRequest, rows: QuerySet[Server]) -> None:
        self.run(request, rows, "server", power.start)

    @admin.action(description=gettext_lazy("Stop"))
    def stop(self, request: CloudRequest, rows: QuerySet[Server]) -> None:
        self.run(request, rows, "server", power.stop)

    @admin.action(description=gettext_lazy("Reboot"))
    def reboot(self, request: CloudRequest, rows: QuerySet[Server]) -> None:
        self.run(request, rows, "server", power.reboot)

    @admin.action(description=gettext_lazy("Reboot (hard)"))
    def reboot_hard(self, request: CloudRequest, rows: QuerySet[Server]) -> None:
        self.run(request, rows, "server", power.reboot, hard=True)

    @admin.action(description=pgettext_lazy("action", "Unlock"))
    def unlock(self, request: CloudRequest, rows: QuerySet[Server]) -> None:
        self.run(request, rows, "server", locks.unlock)

    @admin.action(description=gettext_lazy("Reset state: active"))
    def reset_active(self, request: CloudRequest, rows: QuerySet[Server]) -> None:
        self.run(request, rows.filter(deleted_at=None), "server", administration.reset_state, vm_state=VmState.ACTIVE)

    @admin.action(description=gettext_lazy("Reset state: error"))
    def reset_error(self, request: CloudRequest, rows: QuerySet[Server]) -> None:
        self.run(request, rows.filter(deleted_at=None), "server", administration.reset_state, vm_state=VmState.ERROR)

    @admin.action(description=gettext_lazy("Delete for good"))
    def delete_for_good(self, request: CloudRequest, rows: QuerySet[Server]) -> None:
        self.run(request, rows.filter(deleted_at=None), "server", deferred.force_delete)

    @admin.action(description=gettext_lazy("Delete"))
    def delete_servers(self, request: CloudRequest, rows: QuerySet[Server]) -> None:
        self.run(request, rows.filter(deleted_at=None), "server", lifecycle.delete)


@admin.register(Service)
class ServiceAdmin(ServiceCallingAdmin):
    list_display = ("binary", "host", "zone", "disabled", "disabled_reason", "forced_down", "version", "seen_at")
    list_filter = ("binary", "disabled")
    actions = ("enable", "disable")

    @admin.action(description=gettext_lazy("Enable"))
    def enable(self, request: CloudRequest, rows: QuerySet[Service]) -> None:
        self.run(request, rows, "service", hosts.change, disabled=False)

    @admin.action(description=gettext_lazy("Disable"))
    def disable(self, request: CloudRequest, rows: QuerySet[Service]) -> None:
        self.run(request, rows, "service", hosts.change, disabled=True)


@admin.register(Host)
class HostAdmin(PolicyModelAdmin):
    list_display = (
        "name",
        "hypervisor_type",
        "kvm",
        "vcpus",
        "vcpus_used",
        "memory_mb",
        "memory_mb_used",
        "disk_gb",
        "disk_gb_used",
        "reported_at",
    )


@admin.register(HostImage)
class HostImageAdmin(PolicyModelAdmin):
    list_display = ("host", "image_id", "state", "size_bytes", "disks", "used_at", "fault")
    search_fields = ("image_id", "host__name")
    list_filter = ("state", "host")


@admin.register(Flavor)
class FlavorAdmin(ServiceCallingAdmin):
    list_display = ("flavor_id", "name", "vcpus", "ram_mb", "root_gb", "ephemeral_gb", "swap_mb", "is_public")
    search_fields = ("flavor_id", "name")
    actions = ("delete_flavors",)

    @admin.action(description=gettext_lazy("Delete"))
    def delete_flavors(self, request: CloudRequest, rows: QuerySet[Flavor]) -> None:
        self.run(request, rows, "flavor", flavors.delete)


@admin.register(FlavorAccess)
class FlavorAccessAdmin(PolicyModelAdmin):
    list_display = ("flavor", "project_id")


@admin.register(Keypair)
class KeypairAdmin(PolicyModelAdmin):
    list_display = ("name", "user_id", "type", "fingerprint", "created_at")
    search_fields = ("name", "user_id", "fingerprint")


@admin.register(PlacementDecision)
class PlacementDecisionAdmin(PolicyModelAdmin):
    list_display = ("server", "request_id", "chosen", "created_at")
    search_fields = ("server__id", "request_id")


@admin.register(ServerAction)
class ServerActionAdmin(PolicyModelAdmin):
    list_display = ("server", "action", "request_id", "user_name", "message", "started_at", "finished_at")
    search_fields = ("server__id", "request_id")
    list_filter = ("action", "message")


@admin.register(ActionEvent)
class ActionEventAdmin(PolicyModelAdmin):
    list_display = ("name", "action", "host", "result", "started_at", "finished_at")


@admin.register(Migration)
class MigrationAdmin(PolicyModelAdmin):
    list_display = ("server", "kind", "status", "source_host", "dest_host", "open", "created_at", "updated_at")
    search_fields = ("server__id", "uuid")
    list_filter = ("status", "kind")


@admin.register(ServerFault)
class ServerFaultAdmin(PolicyModelAdmin):
    list_display = ("server", "code", "message", "created_at")


@admin.register(ServerDefinition)
class ServerDefinitionAdmin(PolicyModelAdmin):
    list_display = ("server", "host", "request_id", "created_at")


@admin.register(ConsoleToken)
class ConsoleTokenAdmin(PolicyModelAdmin):
    list_display = ("server", "kind", "user_id", "expires_at", "redeemed_at")
    exclude = ("digest",)
