"""Compute on the operators' site: everything can be read; what can be done goes through services."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from compute import policies
from compute.models import (
    ActionEvent,
    Aggregate,
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
    ServerGroup,
    ServerTag,
    Service,
    UserLimit,
)
from compute.services import administration, aggregates, deferred, flavors, hosts, lifecycle, locks, power, server_groups
from compute.states import VmState
from portal.core.admin import PolicyModelAdmin
from portal.core.errors import CloudError
from portal.core.policy import Rule, allowed
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
    exclude = ("injected_files", "sealed_password", "operation_details", "rebuild")

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


@admin.register(Aggregate)
class AggregateAdmin(PolicyModelAdmin):
    """Groups of hosts, made and changed here as through the API; what the service refuses is said and nothing is saved."""

    list_display = ("name", "zone", "host_names", "created_at")
    search_fields = ("name", "zone")
    fields = ("name", "zone", "metadata", "hosts")
    filter_horizontal = ("hosts",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Aggregate]:
        rows: QuerySet[Aggregate] = super().get_queryset(request)
        return rows.prefetch_related("hosts")

    @admin.display(description=gettext_lazy("Hosts"))
    def host_names(self, aggregate: Aggregate) -> str:
        return ", ".join(host.name for host in aggregate.hosts.all())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, policies.AGGREGATES_CREATE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, policies.AGGREGATES_UPDATE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, policies.AGGREGATES_DELETE)

    def _may(self, request: HttpRequest, rule: Rule) -> bool:
        return self.admin_site.has_permission(request) and allowed(self.operator(cast(CloudRequest, request)), rule)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Aggregates are deleted one by one: each may still have hosts."""
        return {}

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._saying(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._saying(request, super().delete_view, *args, **kwargs)

    def _saying(self, request: HttpRequest, view: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return view(request, *args, **kwargs)
        except CloudError as error:
            self.message_user(request, error.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: CloudRequest, obj: Aggregate, form: Any, change: bool) -> None:  # type: ignore[override]
        ctx, wanted = self.operator(request), form.cleaned_data
        if change:
            aggregate = Aggregate.objects.get(pk=obj.pk)
            changes = {name: wanted[name] for name in ("name", "zone") if name in form.changed_data}
            aggregates.update(ctx=ctx, aggregate=aggregate, changes=changes)
        else:
            aggregate = aggregates.create(ctx=ctx, name=wanted["name"], zone=wanted["zone"] or None)
            obj.pk = aggregate.pk
        items = wanted["metadata"] or {}
        if items != aggregate.metadata:
            gone = dict.fromkeys(aggregate.metadata.keys() - items.keys())
            aggregates.set_metadata(ctx=ctx, aggregate=aggregate, changes={**gone, **items})

    def save_related(self, request: CloudRequest, form: Any, formsets: Any, change: bool) -> None:  # type: ignore[override]
        ctx, aggregate = self.operator(request), Aggregate.objects.get(pk=form.instance.pk)
        before, after = ({host.name for host in hosts} for hosts in (aggregate.hosts.all(), form.cleaned_data["hosts"]))
        for name in sorted(before - after):
            aggregates.remove_host(ctx=ctx, aggregate=aggregate, host=name)
        for name in sorted(after - before):
            aggregates.add_host(ctx=ctx, aggregate=aggregate, host=name)

    def delete_model(self, request: CloudRequest, obj: Aggregate) -> None:  # type: ignore[override]
        aggregates.delete(ctx=self.operator(request), aggregate=obj)


@admin.register(UserLimit)
class UserLimitAdmin(PolicyModelAdmin):
    list_display = ("project_id", "user_id", "resource", "limit")
    search_fields = ("project_id", "user_id")


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
    ordering = ("-pk",)
    search_fields = ("server__id", "request_id")
    list_filter = ("action", "message")


@admin.register(ActionEvent)
class ActionEventAdmin(PolicyModelAdmin):
    list_display = ("name", "action", "host", "result", "started_at", "finished_at")
    ordering = ("-pk",)


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


@admin.register(ServerGroup)
class ServerGroupAdmin(ServiceCallingAdmin):
    list_display = ("name", "id", "policy", "max_per_host", "project_id", "user_id", "created_at")
    search_fields = ("id", "name", "project_id")
    list_filter = ("policy",)
    actions = ("delete_groups",)

    @admin.action(description=gettext_lazy("Delete"))
    def delete_groups(self, request: CloudRequest, rows: QuerySet[ServerGroup]) -> None:
        self.run(request, rows, "group", server_groups.delete)


@admin.register(ServerTag)
class ServerTagAdmin(PolicyModelAdmin):
    list_display = ("tag", "server")
    search_fields = ("tag", "server__id")


@admin.register(ConsoleToken)
class ConsoleTokenAdmin(PolicyModelAdmin):
    list_display = ("server", "kind", "user_id", "expires_at", "redeemed_at")
    exclude = ("digest",)
