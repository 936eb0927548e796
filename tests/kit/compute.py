"""A small cloud for tests of compute: rows made by factories, hosts that only remember what they were told.

Use it by ``from tests.kit.compute import *  # noqa: F403`` in a conftest, then ask for ``cloud``, ``ctx``, ``hosts``, ``commits``.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import factory
import pytest
from django.utils import timezone
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Retries

from compute.conductor import actors
from compute.messages import (
    COMMAND_ACTORS,
    REPORT_ACTORS,
    BuildPhase,
    HostReport,
    OperationFinished,
    host_queue,
    pack,
    unpack,
)
from compute.models import Flavor, Host, Server, ServerNumber, Service
from compute.network.services import seed as network_seed
from compute.services import lifecycle
from compute.states import TRANSITIONS, Action, PowerState, TaskState, VmState
from compute.virt.driver import HostFacts
from images.models import Image
from portal.core import bus
from portal.core.context import RequestContext, new_request_id
from tests.accounts.factories import ProjectFactory
from tests.accounts.factories import ServiceFactory as CatalogServiceFactory

__all__ = ["broker", "cloud", "commits", "ctx", "hosts", "operator"]

PROJECT = "a" * 32
USER = "b" * 32
ROLES = frozenset({"member", "reader"})


class FlavorFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Flavor

    flavor_id = factory.Sequence(lambda n: f"f{n}")
    name = factory.Sequence(lambda n: f"flavor {n}")
    vcpus = 1
    ram_mb = 512
    root_gb = 1


class ServiceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Service

    binary = "nova-compute"
    host = factory.Sequence(lambda n: f"host-{n}")
    zone = "nova"
    seen_at = factory.LazyFunction(timezone.now)


class HostFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Host

    name = factory.Sequence(lambda n: f"host-{n}")
    service = factory.SubFactory(ServiceFactory, host=factory.SelfAttribute("..name"))
    hypervisor_type = "QEMU"
    relay = "unix:/nowhere"
    vcpus = 8
    memory_mb = 16384
    disk_gb = 200
    kvm = True


class ServerFactory(factory.django.DjangoModelFactory):
    """A server that was built and runs; ``host`` must exist when claims matter."""

    class Meta:
        model = Server

    number = factory.LazyFunction(ServerNumber.objects.create)
    name = factory.Sequence(lambda n: f"server-{n}")
    hostname = factory.SelfAttribute("name")
    project_id = PROJECT
    user_id = USER
    reservation_id = "r-00000001"
    flavor_id = "1"
    flavor_name = "m1.tiny"
    vcpus = 1
    ram_mb = 512
    root_gb = 1
    vm_state = VmState.ACTIVE
    power_state = PowerState.RUNNING
    request_id = factory.LazyFunction(new_request_id)
    operation = Action.CREATE
    operation_at = factory.LazyFunction(timezone.now)
    host = "host-1"
    availability_zone = "nova"


def tasks(action: Action) -> list[TaskState | None]:
    """Return no task, the action's own, a guest's that may be stuck, and one that is neither its own nor a deletion's."""
    return list(dict.fromkeys([None, TRANSITIONS[action].during, TaskState.REBOOTING, TaskState.SPAWNING, TaskState.DELETING]))


def make_image(**values: Any) -> Image:
    """Return an active public image."""
    defaults: dict[str, Any] = {
        "name": "tiny",
        "owner": PROJECT,
        "visibility": "public",
        "status": "active",
        "disk_format": "qcow2",
        "container_format": "bare",
        "size": 1024,
        "checksum": "0" * 32,
        "os_hash_algo": "sha512",
        "os_hash_value": "0" * 128,
    }
    return Image.objects.create(**defaults | values)


def member(project_id: str = PROJECT, user_id: str = USER, roles: frozenset[str] = ROLES) -> RequestContext:
    """Return the context of a member of a project."""
    return RequestContext(
        user_id=user_id, user_name="ana", project_id=project_id, project_name="lab1", roles=roles, user_domain_id="default"
    )


@dataclass
class FakeHost:
    """A host that remembers its commands and can be made to tell things."""

    name: str
    broker: "RecordingBroker"

    @property
    def commands(self) -> list[Any]:
        kinds = {actor: kind for kind, actor in COMMAND_ACTORS.items()}
        sent = [message for message in self.broker.sent if message.queue_name == host_queue(self.name)]
        return [unpack(kinds[message.actor_name], dict(message.kwargs)) for message in sent]

    def phase(self, server: Server, stage: TaskState, at: float = 1_000_000.0, **more: Any) -> BuildPhase:
        return BuildPhase(self.name, server.pk, server.request_id, stage, at, **more)

    def finished(self, server: Server, action: Action, fault: str | None = None, **more: Any) -> OperationFinished:
        power = {Action.STOP: PowerState.SHUTDOWN, Action.DELETE: PowerState.NOSTATE}.get(action, PowerState.RUNNING)
        return OperationFinished(
            self.name,
            server.pk,
            more.pop("request_id", server.request_id),
            action,
            fault,
            more.pop("power_state", power),
            **more,
        )

    def report(
        self,
        guests: dict[str, PowerState] | None = None,
        at: float | None = None,
        boot_id: str = "",
        resumes: bool = False,
        worker_id: str = "",
        **facts: Any,
    ) -> HostReport:
        figures: dict[str, Any] = {
            "hypervisor_type": "QEMU",
            "hypervisor_version": 9000000,
            "vcpus": 8,
            "memory_mb": 16384,
            "memory_mb_used": 1000,
            "disk_gb": 200,
            "disk_gb_free": 150,
            "cpu_arch": "x86_64",
            "cpu_model": "any",
            "cpu_features": [],
            "kvm": True,
            "address": "127.0.0.1",
        }
        when = timezone.now().timestamp() if at is None else at
        known = HostFacts(**figures | facts)
        told = {"boot_id": boot_id, "resumes": resumes, "worker_id": worker_id}
        return HostReport(self.name, when, "0.1.0", known, guests or {}, "unix:/nowhere", **told)

    def tell(self, report: Any) -> None:
        """Hand a report to the conductor as the queue would."""
        receive = self.broker.get_actor(REPORT_ACTORS[type(report)])
        receive.fn(**pack(report))


class RecordingBroker(StubBroker):
    """A broker whose queues appear when something is sent to them, and which remembers what was sent."""

    def __init__(self) -> None:
        super().__init__(middleware=[Retries()])
        self.sent: list[Any] = []
        self.down = False

    def enqueue(self, message: Any, *, delay: int | None = None) -> Any:
        if self.down:
            raise ConnectionError("the queue is down")
        self.sent.append(message)
        return message

    def to(self, actor: str) -> list[dict[str, Any]]:
        """Return the payloads of the messages for one actor."""
        return [dict(message.kwargs) for message in self.sent if message.actor_name == actor]


class Hosts:
    """The hosts by name, made when they are asked for."""

    def __init__(self, broker: RecordingBroker) -> None:
        self.broker = broker

    def __getitem__(self, name: str) -> FakeHost:
        return FakeHost(name, self.broker)


@dataclass
class Cloud:
    """One host, one network, one image, one flavor, and the usual ways through them."""

    ctx: RequestContext
    hosts: Hosts
    commits: Callable[[], AbstractContextManager[Any]]
    image: Image = field(default_factory=make_image)
    flavor: Flavor = field(default_factory=lambda: FlavorFactory(flavor_id="1", name="m1.tiny"))
    host: Host = field(default_factory=lambda: HostFactory(name="host-1"))

    @property
    def box(self) -> FakeHost:
        return self.hosts["host-1"]

    def create(self, **wish: Any) -> Server:
        """Return a server whose creation was committed."""
        return self.create_many(**wish)[0]

    def create_many(self, **wish: Any) -> list[Server]:
        values = {"name": f"s-{uuid.uuid4().hex[:6]}", "flavor_id": self.flavor.flavor_id, "image_id": self.image.pk}
        with self.commits():
            return lifecycle.create(**{"ctx": self.again(), **values, **wish})

    def again(self) -> RequestContext:
        """Return the caller with a fresh request id."""
        return RequestContext(**{**vars(self.ctx), "request_id": new_request_id()})

    def place(self, server: Server) -> Server:
        """Let the conductor place a server as the queue would make it."""
        with self.commits():
            self.hosts.broker.get_actor(lifecycle.BUILD).fn(server_id=server.pk, request_id=server.request_id)
        return self.fresh(server)

    def tell(self, report: Any) -> None:
        with self.commits():
            self.box.tell(report)

    def build(self, **wish: Any) -> Server:
        """Return a server that was created, placed and built."""
        server = self.place(self.create(**wish))
        self.tell(self.box.finished(server, Action.CREATE, definition="<domain/>"))
        return self.fresh(server)

    def fresh(self, server: Server) -> Server:
        return Server.objects.select_related("number").get(pk=server.pk)

    def used(self) -> tuple[int, int, int]:
        """Return what is claimed of the host: vCPUs, memory, disk."""
        self.host.refresh_from_db()
        return self.host.vcpus_used, self.host.memory_mb_used, self.host.disk_gb_used


@pytest.fixture
def ctx() -> RequestContext:
    return member()


@pytest.fixture
def operator() -> RequestContext:
    return member("c" * 32, "d" * 32, frozenset({"admin", "manager", "member", "reader"}))


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingBroker]:
    """A broker in this process in place of the queue."""
    recording = RecordingBroker()
    actors.declare(recording)
    monkeypatch.setattr(bus, "broker", lambda: recording)
    yield recording
    recording.close()


@pytest.fixture
def hosts(broker: RecordingBroker) -> Hosts:
    return Hosts(broker)


@pytest.fixture
def commits(django_capture_on_commit_callbacks: Any) -> Callable[[], AbstractContextManager[Any]]:
    """A block at whose end the transaction commits, as far as its callbacks are concerned."""
    return partial(django_capture_on_commit_callbacks, execute=True)


@pytest.fixture
def cloud(db: None, ctx: RequestContext, hosts: Hosts, commits: Any, settings: Any) -> Cloud:
    settings.NETWORK_CIDR = "10.180.0.0/22"
    network_seed.seed("")
    CatalogServiceFactory(type="compute", name="nova")
    ProjectFactory(pk=ctx.project_id)
    return Cloud(ctx, hosts, commits)
