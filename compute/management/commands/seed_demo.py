"""``manage.py seed_demo``: two projects and servers in every state, made through the services on hosts that only pretend."""

import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Domain, Project, Role, User
from accounts.services import assignments, projects
from compute.models import Flavor, Host, Server, Service
from compute.selectors import is_up
from compute.services import flavors, lifecycle, power
from compute.states import VmState
from images.models import Image
from images.services import data, registry
from portal.core.context import RequestContext, new_request_id

PROJECTS = {
    "lab1": ["web-01", "web-02", "db-01", "build-runner"],
    "course": ["student-01", "student-02", "student-03"],
}
STOPPED = ("db-01", "student-03")
TOO_BIG = "whale"
WAIT_S = 90


class Command(BaseCommand):
    help = "Fill a cloud of pretend hosts with projects and servers. Needs running conductor and workers."

    def handle(self, *args: Any, **options: Any) -> None:
        if Project.objects.filter(name__in=PROJECTS, domain_id="default").count() == len(PROJECTS):
            self.stdout.write("demo: nothing to do")
            return
        self.wait("a host", lambda: any(is_up(row) for row in Service.objects.filter(binary="nova-compute")))
        image, size = self.image(), small_flavor()
        whale = big_flavor()
        made: list[Server] = []
        for name, wanted in PROJECTS.items():
            ctx = in_project(project(name))
            for server_name in wanted:
                made += create(ctx, server_name, size, image)
            made += create(ctx, "too-big", whale, image)
        self.wait("the builds", lambda: not Server.objects.present().filter(vm_state=VmState.BUILDING).exists())
        for server in Server.objects.present().filter(name__in=STOPPED, vm_state=VmState.ACTIVE, task_state=None):
            power.stop(ctx=in_project(Project.objects.get(pk=server.project_id)), server=server)
        self.wait("everything", lambda: not Server.objects.present().exclude(task_state=None).exists())
        self.stdout.write(f"demo: {len(PROJECTS)} projects, {len(made)} servers, {Host.objects.count()} hosts")

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
        ctx = in_project(Project.objects.get(name="admin", domain_id="default"))
        wanted = {"name": "demo", "visibility": "public", "disk_format": "raw", "container_format": "bare"}
        image, content = registry.create(ctx=ctx, wanted=wanted), bytes(1 << 20)
        upload = data.begin_upload(ctx=ctx, image_id=image.pk, length=len(content))
        ingest = data.open_ingest(upload)
        ingest.count(len(content))
        for job in ingest.jobs(content):
            job()
        data.finish_upload(upload, ingest.conclude())
        return Image.objects.get(pk=image.pk)


def project(name: str) -> Project:
    """Return a project in which the users admin and demo work."""
    admin = in_project(Project.objects.get(name="admin", domain_id="default"))
    found = Project.objects.filter(name=name, domain_id="default").first()
    row = found or projects.create(ctx=admin, name=name, domain_id=Domain.objects.get(pk="default").pk)
    for user_name, role_name in (("admin", "admin"), ("demo", "member")):
        assignments.grant(
            ctx=admin,
            user=User.objects.get(name=user_name, domain_id="default"),
            role=Role.objects.get(name=role_name, domain=None),
            place=assignments.Place(project=row),
        )
    return row


def in_project(row: Project) -> RequestContext:
    """Return the context of the administrator in a project."""
    admin = User.objects.get(name="admin", domain_id="default")
    return RequestContext(
        request_id=new_request_id(),
        user_id=admin.pk,
        user_name=admin.name,
        user_domain_id=admin.domain_id,
        project_id=row.pk,
        project_name=row.name,
        project_domain_id=row.domain_id,
        roles=frozenset({"admin", "manager", "member", "reader"}),
    )


def create(ctx: RequestContext, name: str, flavor: Flavor, image: Image) -> list[Server]:
    """Return a new server, asked for in a request of its own."""
    own = in_project(Project.objects.get(pk=ctx.project_id))
    return lifecycle.create(ctx=own, name=name, flavor_id=flavor.flavor_id, image_id=image.pk, networks="auto")


def small_flavor() -> Flavor:
    """Return the smallest flavor."""
    found = Flavor.objects.order_by("ram_mb").first()
    if found is None:
        raise CommandError("There are no flavors: run `manage.py seed` first.")
    return found


def big_flavor() -> Flavor:
    """Return a flavor that fits on no pretend host, so that one server tells why."""
    admin = in_project(Project.objects.get(name="admin", domain_id="default"))
    found = Flavor.objects.filter(name=TOO_BIG).first()
    return found or flavors.create(ctx=admin, name=TOO_BIG, flavor_id=TOO_BIG, vcpus=16, ram_mb=49_152, root_gb=100_000)
