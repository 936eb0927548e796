"""Identity on the operators' site."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.models import Ancestor, Confinement, ProjectLock, Quota, User
from accounts.services import quotas
from accounts.services.seed import seed

pytestmark = pytest.mark.django_db

MODELS = [model for model in admin.site._registry if model._meta.app_label == "accounts"]


@pytest.fixture
def operator(personas, client):
    seed("a", "d")
    personas.admin.user.refresh_from_db()
    return personas.admin.sign_in(client)


@pytest.fixture
def _cores(monkeypatch):
    monkeypatch.setattr(quotas, "_defaults", {"cores": 20})


def url(model, tail=""):
    return f"/admin/accounts/{model._meta.model_name}/{tail}"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.model_name)
def test_every_table_is_there_to_look_at(operator, model):
    assert operator.get(url(model)).status_code == 200
    row = model.objects.first()
    if row is not None:
        assert operator.get(url(model, f"{row.pk}/change/")).status_code == 200
    if model is not Quota:
        assert operator.get(url(model, "add/")).status_code == 403


def test_all_tables_are_registered_and_groups_are_not():
    inner = {Ancestor, Confinement, ProjectLock}
    assert set(MODELS) == set(apps.get_app_config("accounts").get_models()) - inner
    assert Group not in admin.site._registry


@pytest.mark.parametrize("who", ["reader", "member", "manager", "nobody"])
def test_the_site_is_closed_to_others(personas, client, who):
    getattr(personas, who).sign_in(client)
    for model in MODELS:
        assert client.get(url(model)).status_code == 302


def test_a_password_is_never_shown(operator):
    user = User.objects.get(name="demo")
    assert user.password not in operator.get(url(User, f"{user.pk}/change/")).content.decode()


@pytest.mark.usefixtures("_cores")
def test_limits_are_set_changed_and_taken_away(operator, personas):
    lab = personas.lab.pk
    answer = operator.post(url(Quota, "add/"), {"project_id": lab, "resource": "cores", "limit": 3})
    assert answer.status_code == 302
    assert quotas.limits(lab) == {"cores": 3}
    row = Quota.objects.get()
    assert operator.post(url(Quota, f"{row.pk}/change/"), {"limit": 5}).status_code == 302
    assert quotas.limits(lab) == {"cores": 5}
    assert operator.post(url(Quota, f"{row.pk}/change/"), {"limit": -2}).status_code == 200
    assert operator.post(url(Quota, f"{row.pk}/delete/"), {"post": "yes"}).status_code == 302
    assert quotas.limits(lab) == {"cores": 20}


def test_users_are_kept_out_and_let_in(operator, personas):
    user = personas.member.user
    for action, enabled in (("keep_out", False), ("let_in", True)):
        operator.post(url(User), {"action": action, "_selected_action": [user.pk]})
        user.refresh_from_db()
        assert user.enabled is enabled
    assert personas.member.api.get("/identity/v3/auth/projects").status_code == 401
