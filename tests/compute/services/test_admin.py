"""The operators' site: every table opens, states are read-only, actions go through services."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from compute.models import Server
from compute.states import TaskState, VmState
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


def test_a_server_that_got_stuck_is_reset_on_the_site(cloud, site):
    server = ServerFactory(vm_state=VmState.ERROR, task_state=TaskState.REBOOTING)
    chosen = {"action": "reset_active", "_selected_action": [server.pk]}
    assert site.post(reverse("admin:compute_server_changelist"), chosen, follow=True).status_code == 200
    server.refresh_from_db()
    assert (server.vm_state, server.task_state) == (VmState.ACTIVE, None)


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
