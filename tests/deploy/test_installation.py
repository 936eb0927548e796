"""What a second `up` leaves undone, and how a start is judged."""

import http.server
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from deploy.launcher import installation, processes, readiness, state
from deploy.launcher.errors import LauncherError
from deploy.launcher.identity import Identity
from deploy.launcher.kvm import boot_sector


@pytest.fixture
def identity(config, owner):
    return Identity(config.checkout, None, owner, config.checkout)


@pytest.fixture
def calls(monkeypatch, config, owner):
    """Which commands of manage.py were run; each leaves behind what the real one would."""
    done = []

    def run(config, identity, *arguments):
        done.append(arguments[0])
        leaves = {"migrate": "db/nebulet.sqlite3", "seed_images": "images/one", "collectstatic": "static/staticfiles.json"}
        if arguments[0] in leaves:
            (config.state_dir / leaves[arguments[0]]).touch()
        return "noise\nthe result\n"

    monkeypatch.setattr(installation, "manage", run)
    config.checkout.mkdir()
    state.lay_out(config, owner)
    state.ensure_secrets(config, owner)
    return done


def fill(config, identity):
    one = installation.Installation(config, identity)
    return [one.migrate(), one.collect_static(), one.seed(), one.seed_images()]


def test_the_second_time_nothing_is_done(config, identity, calls):
    assert fill(config, identity) == ["the result"] * 4
    assert fill(config, identity) == [""] * 4
    assert calls == ["migrate", "collectstatic", "seed", "seed_images"]


def test_a_new_migration_is_run(config, identity, calls):
    fill(config, identity)
    folder = config.checkout / "compute" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0002_more.py").touch()

    fill(config, identity)

    assert calls[4:] == ["migrate", "seed"]


def test_a_changed_password_or_address_seeds_again(config, identity, calls, owner):
    fill(config, identity)
    state.ensure_secrets(replace(config, admin_password="other"), owner)
    fill(config, identity)
    fill(replace(config, public_url="https://cloud.example"), identity)

    assert calls[4:] == ["seed", "seed"]


def test_a_database_that_is_gone_is_made_again(config, identity, calls):
    fill(config, identity)
    (config.state_dir / "db" / "nebulet.sqlite3").unlink()

    fill(config, identity)

    assert calls[4:] == ["migrate", "seed", "seed_images"]


def test_a_database_restored_from_before_an_upgrade_is_migrated(config, identity, calls):
    with closing(sqlite3.connect(config.state_dir / "db" / "nebulet.sqlite3")) as database:
        database.execute("CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app TEXT, name TEXT)")
        database.execute("INSERT INTO django_migrations (app, name) VALUES ('compute', '0001'), ('compute', '0002')")
        database.commit()
        fill(config, identity)
        database.execute("DELETE FROM django_migrations WHERE name = '0002'")
        database.commit()

    fill(config, identity)

    assert calls[4:] == ["migrate"]


def test_images_that_could_not_be_built_are_tried_again(config, identity, calls):
    fill(config, identity)
    (config.state_dir / "images" / "one").unlink()

    fill(config, identity)

    assert calls[4:] == ["seed_images"]


def test_the_queue_starts_first_on_a_private_socket(config, identity, owner, monkeypatch):
    monkeypatch.setattr(processes.shutil, "which", lambda name: "/usr/bin/redis-server" if name == "redis-server" else None)
    state.lay_out(config, owner)

    plan = processes.plan(config, identity, hosts=("a", "b"))

    assert [(one["name"], one["stage"]) for one in plan["processes"]] == [
        ("queue", 0), ("web", 1), ("conductor", 1), ("compute-a", 1), ("compute-b", 1),
    ]  # fmt: skip
    assert plan["processes"][0]["socket"] == str(config.run_dir / "queue.sock")
    conf = (config.run_dir / "queue.conf").read_text()
    assert {"port 0", "unixsocketperm 700", "appendonly yes", "maxmemory-policy noeviction"} <= set(conf.splitlines())
    assert plan["processes"][4]["env"]["NEBULET_HOST"] == "b"
    assert "--no-proxy-headers" in plan["processes"][1]["argv"]  # who is in front of it does not speak TLS for it


def test_as_root_services_give_up_their_rights_and_see_the_code(config, owner, tmp_path):
    shown = Identity(config.checkout, "nebulet", owner, tmp_path / "code")

    command = shown.service(["program"])

    assert command[0] == "unshare"
    assert command[command.index("setpriv") :] == [
        "setpriv", "--reuid", "nebulet", "--regid", "nebulet", "--init-groups", "--no-new-privs",
        "--pdeathsig", "TERM", "--", "program",
    ]  # fmt: skip


@pytest.fixture
def web(config):
    """A web process that answers as told."""
    answers = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = answers[0] if len(answers) == 1 else answers.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            return

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield replace(config, port=server.server_port), answers
    server.shutdown()
    thread.join()
    server.server_close()


STARTING = (503, b'{"status": "starting", "waiting_for": ["nova-compute"]}')
READY = (200, b'{"status": "ready", "waiting_for": []}')


def test_it_waits_until_the_web_process_says_ready(web):
    config, answers = web
    answers += [STARTING, READY]

    readiness.wait(config, lambda: True)

    assert answers == [READY]


def test_it_says_what_is_missing(web):
    config, answers = web
    answers += [STARTING]
    assert readiness.ask(config) == "waiting for nova-compute"
    answers[:] = [(500, b"<html>")]
    assert readiness.ask(config) == "the web process answers 500"


def test_a_supervisor_that_ended_is_not_waited_for(config):
    with pytest.raises(LauncherError, match="The supervisor ended"):
        readiness.wait(replace(config, port=1), lambda: False)


def test_the_probe_for_kvm_is_a_boot_sector():
    assert len(boot_sector()) == 512
    assert boot_sector().endswith(b"\x55\xaa")
