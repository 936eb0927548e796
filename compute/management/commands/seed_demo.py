"""``manage.py seed_demo``: three projects, people of every kind, and servers in every state, made through the services.

The hosts only pretend. A second run makes what is missing.
"""

import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Domain, Project, Role, User
from accounts.services import assignments, projects, users
from compute.management.commands.seed import password_of
from compute.models import Flavor, Host, Server, Service
from compute.selectors import is_up
from compute.services import flavors, lifecycle, power
from compute.states import VmState
from images.models import Image
from images.services import data, registry
from portal.core.context import RequestContext, new_request_id

# Of each person: the role in which project.
PEOPLE = {
    "operator": {"lab1": "admin", "course": "admin", "elsewhere": "admin"},
    "manager": {"lab1": "manager", "course": "manager"},
    "member": {"lab1": "member"},
    "reader": {"lab1": "reader"},
    "stranger": {"elsewhere": "member"},
    "admin": {"lab1": "admin", "course": "admin", "elsewhere": "admin"},
    "demo": {"lab1": "member", "course": "member"},
}
IMPLIED = {
    "admin": ("admin", "manager", "member", "reader"),
    "manager": ("manager", "member", "reader"),
    "member": ("member", "reader"),
    "reader": ("reader",),
}
TOO_BIG = "whale"
# Of each project: who launches which server, in which size. A pretended host builds a name with "slow" slowly.
SERVERS = {
    "lab1": (
        ("web-01", "m1.small", "member"),
        ("web-02", "m1.small", "member"),
        ("db-01", "m1.medium", "manager"),
        ("build-runner", "m1.micro", "demo"),
        ("slow-01", "m1.small", "member"),
        ("too-big", TOO_BIG, "member"),
    ),
    "course": (
        ("student-01", "ds1G", "manager"),
        ("student-02", "ds1G", "manager"),
        ("student-03", "m1.micro", "demo"),
        ("too-big", TOO_BIG, "manager"),
    ),
    "elsewhere": (("mail-01", "m1.tiny", "stranger"),),
}
STOPPED = ("db-01", "student-03")
SLOW = "slow"
WAIT_S = 90


class Command(BaseCommand):
    help = "Fill a cloud of pretend hosts with projects, people and servers. Needs running conductor and workers."

    def handle(self, *args: Any, **options: Any) -> None:
        self.wait("a host", lambda: any(is_up(row) for row in Service.objects.filter(binary="nova-compute")))
        for name in SERVERS:
            project(name)
        for name, roles in PEOPLE.items():
            person(name, roles)
        image = self.image()
        big_flavor()
        made = [server for name, wanted in SERVERS.items() for server in fill(name, wanted, image)]
        self.wait("the builds", lambda: not building().exclude(name__startswith=SLOW).exists())
        fresh = Server.objects.present().filter(pk__in=[server.pk for server in made])
        for server in fresh.filter(name__in=STOPPED, vm_state=VmState.ACTIVE, task_state=None):
            power.stop(ctx=context("manager", Project.objects.get(pk=server.project_id)), server=server)
        self.wait("the stops", lambda: not fresh.exclude(name__startswith=SLOW).exclude(task_state=None).exists())
        self.stdout.write(f"demo: {len(SERVERS)} projects, {len(made)} servers, {Host.objects.count()} hosts")

    def wait(self, what: str, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not done():
            if time.monotonic() > deadline:
                raise CommandError(f"Waited {WAIT_S} s for {what}. Do conductor and worker run?")
            time.sleep(0.2)

    def image(self) -> Image:
        """Return an image that everybody may use, made here when there is none."""
        found = Image.objects.filter(status="active", visibility="public").order_by("created_at").first()
        if found is not None:
            return found
        ctx = operating()
        wanted = {"name": "demo", "visibility": "public", "disk_format": "raw", "container_format": "bare"}
        image, content = registry.create(ctx=ctx, wanted=wanted), bytes(1 << 20)
        upload = data.begin_upload(ctx=ctx, image_id=image.pk, length=len(content))
        ingest = data.open_ingest(upload)
        ingest.count(len(content))
        for job in ingest.jobs(content):
            job()
        data.finish_upload(upload, ingest.conclude())
        return Image.objects.get(pk=image.pk)


def building() -> Any:
    """Return the servers that are not built yet."""
    return Server.objects.present().filter(vm_state=VmState.BUILDING)


def project(name: str) -> Project:
    """Return a project, made when it is missing."""
    found = Project.objects.filter(name=name, domain_id="default").first()
    return found or projects.create(ctx=operating(), name=name, domain_id=Domain.objects.get(pk="default").pk)


def person(name: str, roles: dict[str, str]) -> None:
    """Make a person whose password lies beside the administrator's, and give the roles."""
    user = User.objects.filter(name=name, domain_id="default").first()
    if user is None:
        user = users.create(ctx=operating(), name=name, domain_id="default", password=password_of(name, None))
    if user.default_project_id is None:
        users.update(ctx=operating(), user=user, default_project_id=project(next(iter(roles))).pk)
    for project_name, role in roles.items():
        place = assignments.Place(project=project(project_name))
        assignments.grant(ctx=operating(), actor=user, role=Role.objects.get(name=role, domain=None), place=place)


def fill(name: str, wanted: tuple[tuple[str, str, str], ...], image: Image) -> list[Server]:
    """Launch the servers of a project that has none, each as the person it belongs to."""
    row, made = project(name), []
    if Server.objects.filter(project_id=row.pk).exists():
        return []
    for server_name, flavor_name, who in wanted:
        flavor = Flavor.objects.filter(name=flavor_name).first() or Flavor.objects.order_by("ram_mb").first()
        if flavor is None:
            raise CommandError("There are no flavors: run `manage.py seed` first.")
        made += lifecycle.create(
            ctx=context(who, row), name=server_name, flavor_id=flavor.flavor_id, image_id=image.pk, networks="auto"
        )
    return made


def context(who: str, row: Project) -> RequestContext:
    """Return the context of a person in a project, for a request of its own."""
    user = User.objects.get(name=who, domain_id="default")
    return RequestContext(
        request_id=new_request_id(),
        user_id=user.pk,
        user_name=user.name,
        user_domain_id=user.domain_id,
        project_id=row.pk,
        project_name=row.name,
        project_domain_id=row.domain_id,
        roles=frozenset(IMPLIED[PEOPLE[who].get(row.name, "admin")]),
    )


def operating() -> RequestContext:
    """Return the context of the administrator."""
    return context("admin", Project.objects.get(name="admin", domain_id="default"))


def big_flavor() -> Flavor:
    """Return a flavor that fits on no pretend host, so that one server tells why."""
    found = Flavor.objects.filter(name=TOO_BIG).first()
    return found or flavors.create(ctx=operating(), name=TOO_BIG, flavor_id=TOO_BIG, vcpus=2, ram_mb=4_096, root_gb=100_000)
