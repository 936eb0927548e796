"""The first contents."""

import pytest

from accounts.models import Assignment, CatalogService, Endpoint, ImpliedRole, Project, Region, Role, User
from accounts.services import authentication
from accounts.services.seed import seed
from portal.core.errors import Unauthorized

pytestmark = pytest.mark.django_db

TABLES = (Assignment, CatalogService, Endpoint, ImpliedRole, Project, Region, Role, User)


def identity(name, password):
    user = {"name": name, "domain": {"id": "default"}, "password": password}
    return {"methods": ["password"], "password": {"user": user}}


def scope(project):
    return {"project": {"name": project, "domain": {"name": "Default"}}}


def counts():
    return {table: table.objects.count() for table in TABLES}


def test_admin_and_demo_can_begin(settings):
    settings.PUBLIC_URL = "http://cloud.test:9000"
    seed("a-secret", "d-secret")
    _token, grant = authentication.authenticate(identity("admin", "a-secret"), scope("admin"))
    assert {role.name for role in grant.roles} == {"admin", "manager", "member", "reader"}
    authentication.authenticate(identity("admin", "a-secret"), scope("demo"))
    authentication.authenticate(identity("admin", "a-secret"), {"system": {"all": True}})
    _token, grant = authentication.authenticate(identity("demo", "d-secret"), scope("demo"))
    assert {role.name for role in grant.roles} == {"member", "reader"}
    with pytest.raises(Unauthorized):
        authentication.authenticate(identity("demo", "d-secret"), scope("admin"))
    urls = set(Endpoint.objects.values_list("service__name", "service__type", "url"))
    assert urls == {
        ("keystone", "identity", "http://cloud.test:9000/identity/v3"),
        ("glance", "image", "http://cloud.test:9000/image"),
        ("nova", "compute", "http://cloud.test:9000/compute/v2.1"),
        ("neutron", "network", "http://cloud.test:9000/network"),
    }
    assert Endpoint.objects.count() == 12


def test_again_changes_nothing(settings):
    seed("a-secret", "d-secret")
    before, hashes = counts(), dict(User.objects.values_list("name", "password"))
    token, _grant = authentication.authenticate(identity("admin", "a-secret"), scope("admin"))
    seed("a-secret", "d-secret")
    assert counts() == before
    assert dict(User.objects.values_list("name", "password")) == hashes
    from accounts.services import tokens

    assert tokens.validate(token)


def test_new_passwords_and_a_new_address_are_taken(settings):
    settings.PUBLIC_URL = "http://cloud.test:9000"
    seed("a-secret", "d-secret")
    before = counts()
    settings.PUBLIC_URL = "https://other.test"
    seed("changed", "d-secret")
    assert counts() == before
    assert all(url.startswith("https://other.test/") for url in Endpoint.objects.values_list("url", flat=True))
    authentication.authenticate(identity("admin", "changed"), scope("admin"))
    with pytest.raises(Unauthorized):
        authentication.authenticate(identity("admin", "a-secret"), scope("admin"))


def test_what_people_added_stays(settings):
    seed("a", "d")
    CatalogService.objects.create(type="volume", name="cinder")
    User.objects.filter(name="demo").update(email="d@x.test")
    seed("a", "d")
    assert CatalogService.objects.filter(name="cinder").exists()
    assert User.objects.get(name="demo").email == "d@x.test"
