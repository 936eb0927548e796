"""The operators' site: every table opens, states are read-only, actions go through services."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from compute.models import Server, ServerGroup
from compute.states import TaskState
from tests.kit.compute import ServerFactory
from tests.kit.identity import personas  # noqa: F401

TABLES = [model for model in admin.site._registry if model._meta.app_label == "compute"]


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


def test_a_member_finds_no_site(cloud, personas):  # noqa: F811
    client = Client()
    client.force_login(personas.member.user, backend="accounts.backends.PasswordBackend")
    assert client.get(reverse("admin:compute_server_changelist")).status_code in (302, 403, 404)
