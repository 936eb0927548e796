"""Identity on the operators' site."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.models import Ancestor, Confinement, Limit, ProjectLock, RegisteredLimit, User
from accounts.services import quotas
from accounts.services.seed import seed

pytestmark = pytest.mark.django_db

MODELS = [model for model in admin.site._registry if model._meta.app_label == "accounts"]


@pytest.fixture
def operator(personas, client):
    seed("a", "d")
    personas.admin.user.refresh_from_db()
    return personas.admin.sign_in(client)


def url(model, tail=""):
    return f"/admin/accounts/{model._meta.model_name}/{tail}"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.model_name)
def test_every_table_is_there_to_look_at(operator, model):
    assert operator.get(url(model)).status_code == 200
    row = model.objects.first()
    if row is not None:
        assert operator.get(url(model, f"{row.pk}/change/")).status_code == 200
    if model is not Limit:
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


def test_a_browser_finds_the_sign_of_the_site(operator):
    assert '<link rel="icon" href="/static/dist/favicon.svg"' in operator.get("/admin/").content.decode()


def test_a_password_is_never_shown(operator):
    user = User.objects.get(name="demo")
    assert user.password not in operator.get(url(User, f"{user.pk}/change/")).content.decode()


def test_limits_are_set_changed_and_taken_away(operator, personas):
    lab, registered = personas.lab.pk, quotas.registered_limit("cores")
    answer = operator.post(url(Limit, "add/"), {"project": lab, "registered": registered.pk, "resource_limit": 3})
    assert answer.status_code == 302
    assert quotas.limits(lab)["cores"] == 3
    again = operator.post(url(Limit, "add/"), {"project": lab, "registered": registered.pk, "resource_limit": 3})
    assert again.status_code == 200
    row = Limit.objects.get()
    assert operator.post(url(Limit, f"{row.pk}/change/"), {"resource_limit": 5}).status_code == 302
    assert quotas.limits(lab)["cores"] == 5
    assert operator.post(url(Limit, f"{row.pk}/change/"), {"resource_limit": -2}).status_code == 200
    assert operator.post(url(Limit, f"{row.pk}/delete/"), {"post": "yes"}).status_code == 302
    assert quotas.limits(lab)["cores"] == 20
    assert operator.post(url(RegisteredLimit, f"{registered.pk}/change/"), {"default_limit": 7}).status_code == 302
    assert quotas.limits(lab)["cores"] == 7
    assert operator.post(url(RegisteredLimit, f"{registered.pk}/change/"), {"default_limit": "x"}).status_code == 200


def test_users_are_kept_out_and_let_in(operator, personas):
    user = personas.member.user
    for action, enabled in (("keep_out", False), ("let_in", True)):
        operator.post(url(User), {"action": action, "_selected_action": [user.pk]})
        user.refresh_from_db()
        assert user.enabled is enabled
    assert personas.member.api.get("/identity/v3/auth/projects").status_code == 401
