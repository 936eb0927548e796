"""What the web process and the conductor need with very many servers: time, queries, rows read and memory of each deed.

Run: ``python benchmarks/many_servers.py [servers]``, 10000 unless told; ``DATABASE_URL`` names another database than SQLite. It fills
a database of its own with servers of fifty projects on five hosts. Each deed is done three times: the median counts; memory is the
most that Python held at once beyond what it held before. Deeds must hold LIMIT_MS and LIMIT_MB, however many servers there are.
"""

import os
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.test")

import django

django.setup()

# ruff: noqa: E402 - Django is set up first
from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.runner import DiscoverRunner
from django.utils import timezone

from accounts.services import quotas
from benchmarks.timing import median_ms, settle
from compute.conductor import actors
from compute.models import Server
from compute.network.models import Port
from compute.port_messages import FiltersWanted
from compute.services import healing, lifecycle, placement, repairs, sweeps
from compute.states import PowerState
from portal.core import bus
from portal.core.context import new_request_id
from tests.accounts.factories import AssignmentFactory, ProjectFactory, UserFactory, ladder
from tests.accounts.factories import ServiceFactory as CatalogServiceFactory
from tests.kit.compute import FakeHost, FlavorFactory, RecordingBroker, make_image
from tests.kit.crowd import counted, fill
from tests.kit.identity import Persona, persona

PROJECTS = 50
ROUNDS = 3
LIMIT_MS = 1000
LIMIT_MB = 32

SERVERS = "/compute/v2.1/servers"
ALL = f"{SERVERS}/detail?all_tenants=1"
MONTH = f"start={timezone.now() - timedelta(days=30):%Y-%m-%dT%H:%M:%S}&end={timezone.now():%Y-%m-%dT%H:%M:%S}"

Deed = tuple[str, Callable[[], object]]


def lists(admin: Persona, member: Persona, marker: str, since: str) -> Iterator[Deed]:
    """Yield lists of the API, each with every kind of filter."""
    queries = {
        "member: a page": f"{SERVERS}/detail",
        "member: names": SERVERS,
        "member: one name": f"{SERVERS}/detail?name=crowd-00100",
        "all: names": f"{SERVERS}?all_tenants=1",
        "all: a page": ALL,
        "all: page of 50": f"{ALL}&limit=50",
        "all: page of 50 in the middle": f"{ALL}&limit=50&marker={marker}",
        "all: by name": f"{ALL}&limit=50&sort_key=display_name&sort_dir=asc",
        "all: by host": f"{ALL}&limit=50&sort_key=host",
        "all: name": f"{ALL}&name=crowd-00100",
        "all: name, expression": f"{ALL}&name=^crowd-001.*0$",
        "all: host": f"{ALL}&limit=50&host=crowd-1",
        "all: status": f"{ALL}&limit=50&status=ERROR",
        "all: project": f"{ALL}&limit=50&project_id={member.project.pk if member.project else ''}",
        "all: address": f"{ALL}&ip=10.176.9.9",
        "all: tags": f"{ALL}&limit=50&tags=rack-7",
        "all: deleted": f"{ALL}&limit=50&deleted=1",
        "all: changed since": f"{ALL}&limit=50&changes-since={since}",
    }
    for name, path in queries.items():
        who = member if name.startswith("member") else admin
        yield f"list, {name}", asking(who, path)


def figures(admin: Persona, member: Persona) -> Iterator[Deed]:
    """Yield what is counted over servers, and other lists of operators."""
    project_id = member.project.pk if member.project else ""
    yield "quotas with use", asking(member, "/compute/v2.1/limits")
    yield "quota set in detail", asking(admin, f"/compute/v2.1/os-quota-sets/{project_id}/detail")
    yield "usage of a month, all", asking(admin, f"/compute/v2.1/os-simple-tenant-usage?{MONTH}&detailed=0")
    yield "usage of a month, all, first version", asking(admin, f"/compute/v2.1/os-simple-tenant-usage?{MONTH}", "2.1")
    yield "usage of a month, one project", asking(member, f"/compute/v2.1/os-simple-tenant-usage/{project_id}?{MONTH}")
    yield "hypervisors with servers", asking(admin, "/compute/v2.1/os-hypervisors/detail?with_servers=1", "2.87")
    yield "hypervisor statistics", asking(admin, "/compute/v2.1/os-hypervisors/statistics", "2.87")
    yield "audit log", asking(admin, "/compute/v2.1/os-instance_usage_audit_log", "2.87")
    yield "ports of all, page of 50", asking(admin, "/network/v2.0/ports?limit=50")
    yield "port of a server", asking(admin, f"/network/v2.0/ports?device_id={Server.objects.present()[7].pk}")


def pages(admin: Persona, member: Persona) -> Iterator[Deed]:
    """Yield pages of the dashboard and of the administration site."""
    browsers = {"member": member.sign_in(Client()), "admin": admin.sign_in(Client())}
    ids = ",".join(Server.objects.present().filter(project_id=member.ctx.project_id).values_list("pk", flat=True)[:50])
    paths = {
        "overview": "/overview/",
        "instances": "/instances/",
        "instances, a word": "/instances/?q=crowd-0",
        "instances, an address": "/instances/?q=10.176.9",
        "instances, the feed asks for 50": f"/instances/rows/?ids={ids}",
    }
    for name, path in paths.items():
        yield f"page, {name}", opening(browsers["member"], path)
    models = ("server", "serveraction", "actionevent", "servertag", "serverfault", "host", "placementdecision")
    for model in models:
        yield f"admin, {model}", opening(browsers["admin"], f"/admin/compute/{model}/")
    yield "admin, server, a word", opening(browsers["admin"], "/admin/compute/server/?q=crowd-00100")
    yield "admin, ports", opening(browsers["admin"], "/admin/network/port/")


def chores(broker: RecordingBroker) -> Iterator[Deed]:
    """Yield what the conductor does by the clock and when hosts report."""
    yield "conductor, sweep (every 5 s)", sweeps.sweep
    yield "conductor, repairs (every 60 s)", repairs.repair
    yield "conductor, housekeeping (every 300 s)", healing.keep_house
    yield "command heal --dry-run", lambda: list(healing.heal(dry_run=True))
    yield "command invariants", lambda: list(healing.left())
    host = FakeHost("crowd-1", broker)
    guests = dict.fromkeys(Server.objects.present().filter(host="crowd-1").values_list("pk", flat=True), PowerState.RUNNING)
    yield f"host reports {len(guests)} guests", lambda: host.tell(host.report(guests))
    yield "host that came up asks for its filters", lambda: host.tell(FiltersWanted(host.name, time.time()))


def births(member: Persona) -> Iterator[Deed]:
    """Yield how a server begins among the others: asked for, and given to a host."""
    image = make_image(owner=member.ctx.project_id)
    FlavorFactory(flavor_id="small", name="small")
    for kind, name in (("compute", "nova"), ("network", "neutron")):
        CatalogServiceFactory(type=kind, name=name)
    quotas.set_limits(member.ctx.project_id, dict.fromkeys(("instances", "cores", "ram", "port"), -1))

    def create() -> object:
        ctx = replace(member.ctx, request_id=new_request_id())
        return lifecycle.create(ctx=ctx, name="born", flavor_id="small", image_id=image.pk)[0]

    def place() -> None:
        server = Server.objects.filter(name="born", host=None).latest("created_at")
        placement.place(server.pk, server.request_id)

    yield "create", create
    yield "create and place", lambda: (create(), place())


def asking(who: Persona, path: str, version: str = "2.96") -> Callable[[], object]:
    """Return the deed of asking the API."""
    headers = {"X-Auth-Token": who.token, "OpenStack-API-Version": f"compute {version}"}

    def ask() -> object:
        answer = Client().get(path, headers=headers)
        assert answer.status_code == 200, (path, answer.content[:500])
        return answer

    return ask


def opening(browser: Client, path: str) -> Callable[[], object]:
    """Return the deed of opening a page."""

    def open_page() -> object:
        answer = browser.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer

    return open_page


def measure(name: str, deed: Callable[[], object]) -> str:
    """Return a line of the table."""
    deed()
    settle()
    took_ms = median_ms(deed, ROUNDS)
    with counted() as found:
        deed()
    tracemalloc.start()
    deed()
    held_mb = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    verdict = "" if took_ms <= LIMIT_MS and held_mb <= LIMIT_MB else "  TOO MUCH"
    return f"{name:48} {took_ms:8.1f} ms {found.queries:5} queries {found.rows:7} rows {held_mb:7.1f} MB{verdict}"


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    role, broker = ladder(), RecordingBroker()
    actors.declare(broker)
    bus.broker = lambda: broker  # type: ignore[assignment]
    projects = [ProjectFactory(name=f"crowd-{at}") for at in range(PROJECTS)]
    people = {}
    for word in ("member", "admin"):
        user = UserFactory(name=word)
        AssignmentFactory(user=user, role=role[word], project=projects[0])
        people[word] = persona(user, project=projects[0])
    fill(number, projects=[project.pk for project in projects])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"{number} servers, {Port.objects.count()} ports, on {connection.vendor}")
    marker = Server.objects.present().order_by("created_at")[number // 3]
    since = f"{marker.updated_at:%Y-%m-%dT%H:%M:%SZ}"
    admin, member = people["admin"], people["member"]
    deeds = (
        *lists(admin, member, marker.pk, since),
        *figures(admin, member),
        *pages(admin, member),
        *chores(broker),
        *births(member),
    )
    for name, deed in deeds:
        print(measure(name, deed), flush=True)


if __name__ == "__main__":
    import logging

    from django.conf import settings

    logging.disable(logging.CRITICAL)
    if connection.vendor == "sqlite":
        settings.DATABASES["default"]["TEST"]["NAME"] = None
    runner = DiscoverRunner(verbosity=0, interactive=False)
    old = runner.setup_databases()
    try:
        main()
    finally:
        runner.teardown_databases(old)
