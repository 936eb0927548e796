"""Identity with much in it: lists of 50,000 users, somebody with 500 assignments; and how many tokens two web processes validate,
how many passwords they check in a second.

``.venv/bin/python benchmarks/identity_scale.py`` uses a throwaway SQLite database and, for the rates, an installation of its own with
a pretended host, whose web process it starts a second time. The client runs on the same machine and takes its share of it.
"""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import bcrypt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings.test"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from benchmarks.timing import median_ms  # noqa: E402

USERS, ASSIGNMENTS, SECONDS, CLIENTS = 50_000, 500, 8, 8
LIST_TARGET_MS, RATE_TARGET, TIMES_KEYSTONE, BCRYPT_ROUNDS = 50, 600, 8, 12


def lists() -> None:
    """Time pages of a long list, and a token of somebody who was given much."""
    (settings.STATE_DIR / "db").mkdir(exist_ok=True)
    call_command("migrate", verbosity=0)
    from accounts.models import Assignment, Domain, Role, User
    from accounts.services import seed, tokens
    from accounts.services.tokens import Scope
    from tests.accounts.factories import ProjectFactory, UserFactory
    from tests.kit.identity import persona

    seed.seed("bench-admin-1", "bench-demo-1")
    domain = Domain.objects.get(pk="default")
    User.objects.bulk_create([User(name=f"user-{n:05}", domain=domain, password="!") for n in range(USERS)], batch_size=2_000)
    admin = User.objects.get(name="admin")
    api = persona(admin, system=True).api
    last = User.objects.order_by("name")[USERS // 2].pk
    for name, query in (
        ("first page of 50", "limit=50"),
        ("page in the middle", f"limit=50&marker={last}"),
        ("by name", "name=user-33333"),
        ("name__contains, page of 50", "name__contains=333&limit=50"),
        ("newest first by id", "limit=50&sort_key=id&sort_dir=desc"),
    ):
        found = median_ms(lambda query=query: api.get(f"/identity/v3/users?{query}"), 20)  # type: ignore[misc]
        print(
            f"GET /v3/users of {USERS}, {name:28} {found:7.2f} ms  ratio to {LIST_TARGET_MS} ms: {found / LIST_TARGET_MS:.2f}"
        )
    user, projects = UserFactory(), [ProjectFactory() for _ in range(ASSIGNMENTS)]
    few = UserFactory()
    role = Role.objects.get(name="member")
    Assignment.objects.bulk_create([Assignment(user=user, role=role, project=project) for project in projects])
    Assignment.objects.create(user=few, role=role, project=projects[0])
    for name, who in (("1 assignment", few), (f"{ASSIGNMENTS} assignments", user)):
        token, _grant = tokens.issue(user=who, methods=["password"], scope=Scope(project=projects[0]))
        with CaptureQueriesContext(connection) as queries:
            tokens.validate(token)
        took = median_ms(lambda token=token: tokens.validate(token), 200)  # type: ignore[misc]
        print(f"token of somebody with {name:16} {took:6.2f} ms, {len(queries)} queries")


def rates() -> None:
    """Count validations and sign-ins of two web processes."""
    from tests.e2e.cloud import Cloud, free_port

    cloud, second = Cloud(driver="fake", extra={"NEBULET_DEBUG": "0"}), None
    try:
        cloud.up()
        pid, port = cloud.pid("web"), free_port()
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
        pairs = [item.partition(b"=") for item in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if item]
        argv = [str(port) if word.decode() == str(cloud.port) else word.decode() for word in words]
        environment = {name.decode(): value.decode() for name, _equals, value in pairs}
        second = subprocess.Popen(
            argv, env=environment, cwd=Path(f"/proc/{pid}/cwd").resolve(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(8)
        asker, subject = (cloud.client(name).headers["X-Auth-Token"] for name in ("admin", "demo"))
        headers = {"X-Auth-Token": asker, "X-Subject-Token": subject}
        ports = [cloud.port, port]
        for name, query in (("with the catalog", ""), ("without", "?nocatalog")):
            work = processor_seconds(pid, second.pid)
            validated = rate(ports, "GET", f"/identity/v3/auth/tokens{query}", headers, None)
            work = (processor_seconds(pid, second.pid) - work) / (validated * SECONDS)
            print(
                f"validations by two processes, {name:16} {validated:6.0f}/s  ratio to {RATE_TARGET}/s: {validated / RATE_TARGET:.2f};"
                f" each takes {work * 1000:.2f} ms of a processor"
            )
        user = {"name": "demo", "domain": {"id": "default"}, "password": cloud.password("demo")}
        body = json.dumps({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}})
        signed = rate(ports, "POST", "/identity/v3/auth/tokens", {"Content-Type": "application/json"}, body)
        yardstick = TIMES_KEYSTONE * keystones_most()
        print(
            f"password sign-ins             {signed:7.1f}/s  ratio to {TIMES_KEYSTONE} times the most that bcrypt {BCRYPT_ROUNDS} lets"
            f" Keystone do here ({yardstick:.0f}/s): {signed / yardstick:.2f}"
        )
    finally:
        if second is not None:
            second.send_signal(signal.SIGTERM)
            second.wait(20)
        cloud.down()


def processor_seconds(*pids: int) -> float:
    """Return how long processors have worked for these processes."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def keystones_most() -> float:
    """Return how many of Keystone's default hashes two processes work out in a second: it signs in no more people than that."""
    with ProcessPoolExecutor(2) as pool:
        return sum(pool.map(_hashes_per_s, range(2)))


def _hashes_per_s(_number: int) -> float:
    salt, began = bcrypt.gensalt(BCRYPT_ROUNDS), time.monotonic()
    for _ in range(10):
        bcrypt.hashpw(b"bench-demo-1", salt)
    return 10 / (time.monotonic() - began)


def rate(ports: list[int], method: str, path: str, headers: dict[str, str], body: str | None) -> float:
    """Return how many answers came in a second, all of them good."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [f"Content-Length: {len(body)}"] if body else []
    request = "\r\n".join([*lines, "", body or ""]).encode()
    count, ends = 0, time.monotonic() + SECONDS
    with selectors.DefaultSelector() as waiting, ExitStack() as opened:
        for number in range(CLIENTS):
            line = opened.enter_context(socket.create_connection(("127.0.0.1", ports[number % len(ports)])))
            waiting.register(line, selectors.EVENT_READ)
            line.sendall(request)
        while time.monotonic() < ends:
            for key, _events in waiting.select(1):
                line = cast(socket.socket, key.fileobj)
                _take_answer(line)
                count += 1
                line.sendall(request)
    return count / SECONDS


def _take_answer(line: socket.socket) -> None:
    """Read one whole answer. http.client takes as much of the machine for it as a tenth of the server's work."""
    head, _end, body = line.recv(65_536).partition(b"\r\n\r\n")
    assert head[9:12] in (b"200", b"201"), head
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += line.recv(65_536)


if __name__ == "__main__":
    if "--rates" not in sys.argv:
        lists()
    rates()
