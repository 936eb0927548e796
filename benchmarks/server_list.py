"""How long a page of a thousand servers takes the web process: GET /compute/v2.1/servers/detail.

Run: ``python benchmarks/server_list.py [servers]``. It fills a database in memory, asks through every middleware with a real
token, and prints the best of several answers beside one that shows a single server. The target is 100 ms for a thousand.
"""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.test")

import django

django.setup()

# ruff: noqa: E402 - Django is set up first
from django.db import connection
from django.test import Client
from django.test.runner import DiscoverRunner
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from benchmarks.timing import settle
from compute.models import Server, ServerNumber
from compute.network.models import FixedAddress, Network, Port, SecurityGroup
from compute.network.services import security_groups, seed
from tests.accounts.factories import AssignmentFactory, ProjectFactory, UserFactory, ladder
from tests.kit.identity import persona

TARGET_MS = 100
ROUNDS = 15


def fill(ctx, number: int) -> None:
    """Make servers with one address each."""
    seed.settings.NETWORK_CIDR = "10.180.0.0/16"
    network = Network.objects.get(pk=seed.seed().pk)
    subnet = network.subnets.get()
    group = security_groups.ensure_default(ctx.project_id)
    numbers = ServerNumber.objects.bulk_create([ServerNumber() for _ in range(number)])
    servers = Server.objects.bulk_create(
        Server(
            number=row,
            name=f"web-{at}",
            hostname=f"web-{at}",
            project_id=ctx.project_id,
            user_id=ctx.user_id,
            reservation_id="r-12345678",
            image_id="70a599e0-31e7-49b7-b260-868f441e862b",
            flavor_id="1",
            flavor_name="m1.tiny",
            vcpus=1,
            ram_mb=512,
            root_gb=1,
            host=f"host{at % 7}",
            availability_zone="nova",
            vm_state="active",
            power_state=1,
            request_id=ctx.request_id,
            launched_at=timezone.now(),
            metadata={"role": "web", "number": str(at)},
            public_key="ssh-rsa " + "A" * 372,
            user_data="I2Nsb3VkLWNvbmZpZwo=" * 20,
        )
        for at, row in enumerate(numbers)
    )
    ports = Port.objects.bulk_create(
        Port(network=network, project_id=ctx.project_id, device_id=server.pk, device_owner="compute:nova")
        for server in servers
    )
    base = subnet.range.network_address + 10
    FixedAddress.objects.bulk_create(
        FixedAddress(port=port, subnet=subnet, address=str(base + at)) for at, port in enumerate(ports)
    )
    through = Port.security_groups.through
    through.objects.bulk_create(through(port_id=port.pk, securitygroup_id=group.pk) for port in ports)
    assert SecurityGroup.objects.exists()


def measure(client: Client, path: str, headers: dict[str, str]) -> tuple[float, float, int, int]:
    """Return the best time and the least processor time in ms, the queries, and the bytes of an answer."""
    times, cpu_times = [], []
    settle()
    for _ in range(ROUNDS):
        started, cpu_started = time.perf_counter(), time.process_time()
        answer = client.get(path, headers=headers)
        times.append((time.perf_counter() - started) * 1000)
        cpu_times.append((time.process_time() - cpu_started) * 1000)
        assert answer.status_code == 200, answer.content
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path, headers=headers)
    return min(times), min(cpu_times), len(queries), len(answer.content)


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    role = ladder()
    project = ProjectFactory(name="bench")
    for word in ("reader", "admin"):
        user = UserFactory(name=word)
        AssignmentFactory(user=user, role=role[word], project=project)
        who = persona(user, project=project)
        if word == "reader":
            fill(who.ctx, number)
        client = Client()
        headers = {"X-Auth-Token": who.token, "OpenStack-API-Version": "compute 2.104"}
        one = measure(client, "/compute/v2.1/servers/detail?limit=1", headers)
        page = measure(client, f"/compute/v2.1/servers/detail?limit={number}", headers)
        print(
            f"{word}: {number} servers in {page[0]:.1f} ms (processor time {page[1]:.1f} ms), {page[2]} queries, {page[3] // 1024} KiB; "
            f"1 server in {one[0]:.1f} ms, {one[2]} queries; ratio {page[0] / one[0]:.1f}; "
            f"target {TARGET_MS} ms {'met' if page[0] <= TARGET_MS else 'MISSED'}"
        )


if __name__ == "__main__":
    import logging

    from django.conf import settings

    logging.disable(logging.INFO)
    settings.MIGRATION_MODULES = {name: None for name in ("accounts", "images", "compute", "network", "core")}
    runner = DiscoverRunner(verbosity=0)
    old = runner.setup_databases()
    try:
        with override_settings(ROOT_URLCONF="tests.compute.api.urls"):
            main()
    finally:
        runner.teardown_databases(old)
