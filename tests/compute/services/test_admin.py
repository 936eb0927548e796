"""The operators' site: every table opens, states are read-only, actions go through services."""

import re

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from compute.models import Aggregate, Server, ServerGroup, Service
from compute.states import TaskState, VmState
from tests.kit.compute import HostFactory, ServerFactory
from tests.kit.identity import personas  # noqa: F401

TABLES = [model for model in admin.site._registry if model._meta.app_label == "compute" and model is not Aggregate]


@pytest.fixture
def site(personas):  # noqa: F811
    client = Client()
    client.force_login(personas.admin.user, backend="accounts.backends.PasswordBackend")
    return client


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_every_table_opens_and_none_can_be_written(cloud, site, model):
    ServerFactory()
    name = model._meta.model_name
    assert site.get(reverse(f"admin:compute_{name}_changelist")).status_code == 200
    assert site.get(reverse(f"admin:compute_{name}_add")).status_code == 403


def test_stop_on_the_site_is_the_service(cloud, site):
    server = ServerFactory()
    page = reverse("admin:compute_server_changelist")
    with cloud.commits():
        answer = site.post(page, {"action": "stop", "_selected_action": [server.pk]}, follow=True)
    assert answer.status_code == 200
    assert Server.objects.get(pk=server.pk).task_state == TaskState.POWERING_OFF
    assert len(cloud.box.commands) == 1
    answer = site.post(page, {"action": "stop", "_selected_action": [server.pk]}, follow=True)
    assert "while it is in task_state powering-off" in answer.content.decode()


def test_a_server_that_got_stuck_is_reset_on_the_site(cloud, site):
    server = ServerFactory(vm_state=VmState.ERROR, task_state=TaskState.REBOOTING)
    chosen = {"action": "reset_active", "_selected_action": [server.pk]}
    assert site.post(reverse("admin:compute_server_changelist"), chosen, follow=True).status_code == 200
    server.refresh_from_db()
    assert (server.vm_state, server.task_state) == (VmState.ACTIVE, None)


def test_groups_are_deleted_by_the_service_and_their_servers_stay(cloud, site):
    group = ServerGroup.objects.create(name="g", policy="affinity", project_id="p", user_id="u")
    server = ServerFactory(group=group, sealed_password="c2VhbGVk")
    answer = site.post(
        reverse("admin:compute_servergroup_changelist"),
        {"action": "delete_groups", "_selected_action": [group.pk]},
        follow=True,
    )
    assert answer.status_code == 200
    assert not ServerGroup.objects.exists()
    assert Server.objects.get(pk=server.pk).group is None
    page = site.get(reverse("admin:compute_server_change", args=[server.pk])).content.decode()
    assert "c2VhbGVk" not in page


def test_states_cannot_be_posted(cloud, site):
    server = ServerFactory()
    url = reverse("admin:compute_server_change", args=[server.pk])
    assert site.get(url).status_code == 200
    assert site.post(url, {"vm_state": "deleted", "name": "x"}).status_code == 403
    assert Server.objects.get(pk=server.pk).vm_state == "active"


def test_the_page_of_a_host_counts_the_guests_of_somebody_else(cloud, site):
    cloud.tell(cloud.box.report(foreign_guests=37))
    page = site.get(reverse("admin:compute_host_change", args=[cloud.host.pk])).content.decode()
    assert "Foreign guests" in page
    assert re.search(r">\s*37\s*<", page)


def test_a_member_finds_no_site(cloud, personas):  # noqa: F811
    client = Client()
    client.force_login(personas.member.user, backend="accounts.backends.PasswordBackend")
    assert client.get(reverse("admin:compute_server_changelist")).status_code in (302, 403, 404)


def test_an_aggregate_is_made_changed_and_deleted_by_the_services(cloud, site):
    host = HostFactory(name="host-2")
    made = {"name": "rack", "zone": "west", "metadata": '{"ssd": "true"}', "hosts": [host.pk]}
    assert site.post(reverse("admin:compute_aggregate_add"), made).status_code == 302
    aggregate = Aggregate.objects.get()
    assert (aggregate.zone, aggregate.metadata, list(aggregate.hosts.all())) == ("west", {"ssd": "true"}, [host])
    assert Service.objects.get(host="host-2").zone == "west"
    assert site.get(reverse("admin:compute_aggregate_changelist")).status_code == 200

    change = reverse("admin:compute_aggregate_change", args=[aggregate.pk])
    assert site.post(change, {**made, "name": "rack 2", "metadata": "{}", "hosts": []}).status_code == 302
    aggregate.refresh_from_db()
    assert (aggregate.name, aggregate.metadata, aggregate.hosts.count()) == ("rack 2", {}, 0)
    assert Service.objects.get(host="host-2").zone == "nova"

    assert site.post(reverse("admin:compute_aggregate_delete", args=[aggregate.pk]), {"post": "yes"}).status_code == 302
    assert not Aggregate.objects.exists()


def test_what_the_service_refuses_is_said_and_not_saved(cloud, site):
    ServerFactory()
    aggregate = Aggregate.objects.create(name="rack")
    aggregate.hosts.add(cloud.host)
    change = reverse("admin:compute_aggregate_change", args=[aggregate.pk])
    wanted = {"name": "other", "zone": "west", "metadata": "{}", "hosts": [cloud.host.pk]}
    assert "cannot go along" in site.post(change, wanted, follow=True).content.decode()
    aggregate.refresh_from_db()
    assert (aggregate.name, aggregate.zone) == ("rack", None)
    delete = reverse("admin:compute_aggregate_delete", args=[aggregate.pk])
    assert "it is not empty" in site.post(delete, {"post": "yes"}, follow=True).content.decode()
    assert Aggregate.objects.exists()


def test_a_member_makes_no_aggregate_there(cloud, personas):  # noqa: F811
    client = Client()
    client.force_login(personas.member.user, backend="accounts.backends.PasswordBackend")
    assert client.post(reverse("admin:compute_aggregate_add"), {"name": "rack"}).status_code in (302, 403, 404)
    assert not Aggregate.objects.exists()
