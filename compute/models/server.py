"""Servers: the virtual machines of the cloud (``instance`` in the dashboard)."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.base import ModelState
from django.db.models.functions import Greatest
from django.utils import timezone

from compute.models.document import Document
from compute.models.host import new_uuid
from compute.models.server_group import ServerGroup
from compute.states import BUILD_STAGES, LOSABLE, TRANSITIONS, Action, PowerState, TaskState, VmState, status

PLACED = (TaskState.SCHEDULING, TaskState.UNSHELVING)


def clock_order() -> int:
    """Return where an operation that begins now stands among others: milliseconds of the clock."""
    return int(timezone.now().timestamp() * 1000)


class ServerNumber(models.Model):
    """Counts servers; the number names the domain on its host (``instance-0000002a``)."""

    def __str__(self) -> str:
        return str(self.pk)


class ServerQuerySet(models.QuerySet["Server"]):
    """Filters, and the only statements that change a server's states."""

    def present(self) -> "ServerQuerySet":
        """Leave out what was deleted."""
        return self.filter(deleted_at=None)

    def busy(self) -> "ServerQuerySet":
        """Leave only those with which something is being done. SQLite finds by an index what is greater, and not what is not null."""
        return self.present().filter(task_state__gt="")

    def begin(self, server: "Server", action: Action, request_id: str, details: dict[str, Any] | None = None) -> bool:
        """Take the server for ``action``; False when another caller was first. ``details`` is what the command needs to know.

        One UPDATE carries both the test and the change, so two requests that read the same row cannot both win.
        """
        rule = TRANSITIONS[action]
        free = Q(task_state=None) | Q(task_state__in=rule.interrupts)
        now = timezone.now()
        return (
            self.filter(free, pk=server.pk, deleted_at=None, vm_state__in=rule.allowed).update(
                task_state=rule.during,
                request_id=request_id,
                operation=action,
                operation_details=details or {},
                operation_at=now,
                operation_order=Greatest(F("operation_order") + 1, Value(clock_order())),
                updated_at=now,
            )
            == 1
        )

    def place(self, server_id: str, request_id: str, host: str, zone: str) -> bool:
        """Give what is to be built to a host; False when it has one, was deleted, or belongs to another request."""
        return (
            self.filter(pk=server_id, request_id=request_id, task_state__in=PLACED)
            .filter(host=None, deleted_at=None)
            .update(host=host, availability_zone=zone, attempts=F("attempts") + 1, updated_at=timezone.now())
            == 1
        )

    def unplace(self, server_id: str, request_id: str, host: str) -> bool:
        """Take an unfinished build from a host, to be placed again; False when it is not there any more."""
        now = timezone.now()
        return (
            self.filter(pk=server_id, request_id=request_id, host=host, operation=Action.CREATE, deleted_at=None)
            .filter(task_state__in=BUILD_STAGES)
            .update(host=None, availability_zone=None, task_state=TaskState.SCHEDULING, operation_at=now, updated_at=now)
            == 1
        )

    def advance(self, server_id: str, request_id: str, host: str, stage: TaskState) -> bool:
        """Move a build on to ``stage``, never back; False when the report is stale."""
        now = timezone.now()
        before = BUILD_STAGES[: BUILD_STAGES.index(stage) + 1]
        return (
            self.filter(pk=server_id, request_id=request_id, host=host, operation=Action.CREATE, deleted_at=None)
            .filter(task_state__in=before)
            .update(task_state=stage, operation_at=now, updated_at=now)
            == 1
        )

    def go_on(self, server_id: str, request_id: str, host: str, stage: TaskState | None = None) -> bool:
        """Note that a host works on an operation, and what shows from now on; False when the report is stale."""
        now = timezone.now()
        shown = {} if stage is None else {"task_state": stage}
        return (
            self.filter(pk=server_id, request_id=request_id, host=host, deleted_at=None)
            .exclude(task_state=None)
            .update(operation_at=now, updated_at=now, **shown)
            == 1
        )

    def finish(self, server_id: str, request_id: str, vm_state: VmState | None, **changes: Any) -> bool:
        """Close the operation ``request_id`` with ``vm_state``, None for the one it had; False when it is not the server's any more.

        What its command needed to know is forgotten: a password may be part of it.
        """
        now = timezone.now()
        if vm_state is not None:
            changes["vm_state"] = vm_state
        return (
            self.filter(pk=server_id, request_id=request_id, deleted_at=None)
            .exclude(task_state=None)
            .update(task_state=None, operation_details={}, updated_at=now, **changes)
            == 1
        )

    def turn_back(self, host: str, at: datetime) -> int:
        """Take what is known of a host's guests for known before ``at``: its clock was set back. Return of how many."""
        return self.filter(host=host, observed_at__gte=at).update(observed_at=None)

    def reset(self, server_id: str, vm_state: VmState) -> bool:
        """Call a server what an operator says it is, and its operation over."""
        rows = self.filter(pk=server_id, deleted_at=None)
        return rows.update(vm_state=vm_state, task_state=None, operation_details={}, updated_at=timezone.now()) == 1

    def remove(self, server_id: str, request_id: str) -> bool:
        """Mark a server deleted whose deletion is ``request_id``; also when it was given up before the host answered."""
        now = timezone.now()
        return (
            self.filter(pk=server_id, request_id=request_id, operation=Action.DELETE, deleted_at=None).update(
                vm_state=VmState.DELETED,
                task_state=None,
                power_state=PowerState.NOSTATE,
                deleted_at=now,
                updated_at=now,
            )
            == 1
        )

    def observe(self, server_id: str, host: str, vm_state: VmState, power_state: PowerState, at: datetime) -> bool:
        """Write what a guest was by itself at a time; False for old news, and while an operation runs: that tells the end."""
        return (
            self.filter(pk=server_id, host=host, task_state=None, deleted_at=None)
            .filter(Q(observed_at=None) | Q(observed_at__lt=at))
            .exclude(vm_state__in=[VmState.BUILDING, VmState.ERROR])
            .exclude(vm_state=vm_state, power_state=power_state)
            .update(vm_state=vm_state, power_state=power_state, observed_at=at, updated_at=timezone.now())
            == 1
        )

    def lose(self, server_id: str, host: str, at: datetime) -> bool:
        """Put a server in ERROR whose guest its host does not know any more."""
        return (
            self.filter(pk=server_id, host=host, task_state=None, deleted_at=None)
            .filter(Q(observed_at=None) | Q(observed_at__lt=at), vm_state__in=LOSABLE)
            .update(vm_state=VmState.ERROR, power_state=PowerState.NOSTATE, observed_at=at, updated_at=timezone.now())
            == 1
        )

    def recover(self, server_id: str, host: str, vm_state: VmState, power_state: PowerState, at: datetime) -> bool:
        """Take a server out of ERROR whose guest its host knows again."""
        return (
            self.filter(pk=server_id, host=host, task_state=None, deleted_at=None, vm_state=VmState.ERROR)
            .filter(Q(observed_at=None) | Q(observed_at__lt=at))
            .update(vm_state=vm_state, power_state=power_state, observed_at=at, updated_at=timezone.now())
            == 1
        )


class Server(models.Model):
    """A virtual machine: what was asked for, where it runs, and what is being done to it.

    The flavor's figures and the image's properties are kept as they were at launch. ``sealed_password`` is what the guest said of
    its own password, sealed for the owner's key: nobody here can read it. ``request_id`` and ``operation`` name the operation that is running or
    ran last; a report that carries another ``request_id`` is stale. ``operation_order`` grows with each of them: milliseconds of the
    clock, so that also a database that was restored goes on from later than what hosts were told. ``rebuild`` is what a rebuild may
    have to put back (``compute.services.rebuilt``). ``observed_at`` is when the guest's state was last known, by the clock of its host
    alone, so that older news changes nothing however wrong that clock is. A server that has a ``host`` and is not deleted holds a claim there.
    """

    id = models.CharField(primary_key=True, max_length=36, default=new_uuid)
    number = models.OneToOneField(ServerNumber, on_delete=models.PROTECT)
    name = models.CharField(max_length=255)
    hostname = models.CharField(max_length=255)
    description = models.CharField(max_length=255, null=True, blank=True)
    project_id = models.CharField(max_length=64)
    project_name = models.CharField(max_length=64, default="")
    user_id = models.CharField(max_length=64)
    user_name = models.CharField(max_length=255, default="")
    reservation_id = models.CharField(max_length=64)
    launch_index = models.PositiveIntegerField(default=0)

    image_id = models.CharField(max_length=36, null=True)
    flavor_id = models.CharField(max_length=255)
    flavor_name = models.CharField(max_length=255)
    vcpus = models.PositiveIntegerField()
    ram_mb = models.PositiveIntegerField()
    root_gb = models.PositiveIntegerField()
    ephemeral_gb = models.PositiveIntegerField(default=0)
    swap_mb = models.PositiveIntegerField(default=0)
    extra_specs = Document(default=dict, blank=True)

    key_name = models.CharField(max_length=255, null=True)
    public_key = models.TextField(null=True)
    user_data = models.TextField(null=True)
    config_drive = models.BooleanField(default=True)
    metadata = Document(default=dict, blank=True)
    locked = models.BooleanField(default=False)
    locked_by = models.CharField(max_length=8, null=True)
    locked_reason = models.CharField(max_length=255, null=True)
    access_ip_v4 = models.CharField(max_length=15, blank=True, default="")
    access_ip_v6 = models.CharField(max_length=39, blank=True, default="")
    auto_disk_config = models.BooleanField(default=False)
    image_properties = Document(default=dict, blank=True)
    scheduler_hints = Document(default=dict, blank=True)
    group = models.ForeignKey(ServerGroup, on_delete=models.SET_NULL, null=True, related_name="servers")
    injected_files = Document(default=list, blank=True)
    sealed_password = models.TextField(blank=True, default="")

    requested_zone = models.CharField(max_length=255, null=True)
    requested_host = models.CharField(max_length=255, null=True)
    availability_zone = models.CharField(max_length=255, null=True)
    host = models.CharField(max_length=255, null=True, db_index=True)

    vm_state = models.CharField(max_length=32, default=VmState.BUILDING)
    task_state = models.CharField(max_length=32, null=True)
    power_state = models.IntegerField(default=PowerState.NOSTATE)
    request_id = models.CharField(max_length=64)  # no index: MariaDB would lock by it what others lock by the key
    operation = models.CharField(max_length=32, null=True)
    operation_details = models.JSONField(default=dict, blank=True)
    operation_at = models.DateTimeField(null=True)
    operation_order = models.BigIntegerField(default=clock_order)
    rebuild = Document(default=dict, blank=True)
    observed_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)

    shelved_image_id = models.CharField(max_length=36, null=True)
    shelved_at = models.DateTimeField(null=True)

    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    launched_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    objects = ServerQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["project_id", "deleted_at", "-created_at", "-id"], name="server_list"),
            models.Index(fields=["-created_at", "-id"], name="server_list_all"),
            models.Index(fields=["task_state", "operation_at"], name="server_busy"),
            models.Index(fields=["vm_state", "task_state"], name="server_state"),
            models.Index(fields=["updated_at"], name="server_changed"),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any, **_more: Any) -> "Server":
        """Return a row as a server; columns that were left out are fetched when they are asked for.

        A list of a thousand spent a fifth of its time in the checks that ``__init__`` makes for those who write.
        """
        server = cls.__new__(cls)
        server.__dict__.update(zip(field_names, values, strict=True))
        server._state = ModelState()
        server._state.adding, server._state.db = False, db
        return server

    @property
    def status(self) -> str:
        """The word that the compute API shows."""
        return status(self.vm_state, self.task_state)

    @property
    def domain_name(self) -> str:
        """The name of the libvirt domain."""
        prefix = "" if settings.NAME == "nebulet" else f"{settings.NAME}-"
        return f"{prefix}instance-{self.number_id:08x}"

    @property
    def disk_gb(self) -> int:
        """What the server claims of a host's disk."""
        return self.root_gb + self.ephemeral_gb + -(-self.swap_mb // 1024)

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"project_id": self.project_id, "user_id": self.user_id}


class ServerFault(models.Model):
    """Why a server is in ERROR, in a sentence for people."""

    server = models.OneToOneField(Server, on_delete=models.CASCADE, related_name="fault")
    code = models.PositiveIntegerField(default=500)
    message = models.CharField(max_length=255)
    details = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.message


class ServerDefinition(models.Model):
    """The domain XML of each start that changed it, newest last."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="definitions")
    host = models.CharField(max_length=255)
    xml = models.TextField()
    request_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"definition of {self.server_id}"
