"""/v3/registered_limits and /v3/limits"""

import pytest

from accounts.models import Limit, RegisteredLimit
from tests.accounts.factories import AssignmentFactory, RegionFactory, RegisteredLimitFactory, ServiceFactory, UserFactory
from tests.kit.identity import persona

pytestmark = pytest.mark.django_db

V3 = "/identity/v3"


def test_registered_limits_are_made_together_or_not_at_all(personas):
    api, service = personas.admin.api, ServiceFactory()
    one = {"service_id": service.pk, "resource_name": "volumes", "default_limit": 5}
    made = api.post(f"{V3}/registered_limits", {"registered_limits": [one, {**one, "region_id": RegionFactory().pk}]})
    assert made.status_code == 201
    first = made.json()["registered_limits"][0]
    assert first == {
        "id": first["id"],
        **one,
        "region_id": None,
        "description": None,
        "links": {"self": f"http://testserver{V3}/registered_limits/{first['id']}"},
    }
    twice = api.post(f"{V3}/registered_limits", {"registered_limits": [{**one, "resource_name": "new"}, one]})
    assert twice.status_code == 409
    assert RegisteredLimit.objects.count() == 2
    found = api.get(f"{V3}/registered_limits?resource_name=volumes&region_id=RegionOne").json()["registered_limits"]
    assert len(found) == 1


def test_a_registered_limit_changes_until_it_is_used(personas):
    api, row = personas.admin.api, RegisteredLimitFactory()
    address = f"{V3}/registered_limits/{row.pk}"
    changed = api.patch(address, {"registered_limit": {"default_limit": 3, "resource_name": "cores"}}).json()[
        "registered_limit"
    ]
    assert (changed["default_limit"], changed["resource_name"]) == (3, "cores")
    Limit.objects.create(registered=row, project=personas.lab, resource_limit=1)
    assert api.patch(address, {"registered_limit": {"default_limit": 4}}).status_code == 200
    assert api.patch(address, {"registered_limit": {"resource_name": "x"}}).status_code == 403
    assert api.delete(address).status_code == 403
    Limit.objects.all().delete()
    assert api.delete(address).status_code == 204
    assert personas.member.api.get(address).status_code == 404


def wish(row, **more):
    return {"service_id": row.service_id, "resource_name": row.resource_name, "resource_limit": 3, **more}


def test_limits_are_made_changed_and_deleted(personas):
    api, row = personas.admin.api, RegisteredLimitFactory()
    made = api.post(f"{V3}/limits", {"limits": [wish(row, project_id=personas.lab.pk), wish(row, domain_id="default")]})
    assert made.status_code == 201
    bodies = {body["project_id"]: body for body in made.json()["limits"]}
    body = bodies[personas.lab.pk]
    assert (body["domain_id"], body["region_id"], body["resource_limit"]) == (None, None, 3)
    address = f"{V3}/limits/{body['id']}"
    assert api.patch(address, {"limit": {"resource_limit": -1, "description": "d"}}).json()["limit"]["resource_limit"] == -1
    assert api.patch(address, {"limit": {"project_id": "x"}}).status_code == 400
    assert api.post(f"{V3}/limits", {"limits": [wish(row, project_id=personas.lab.pk)]}).status_code == 409
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, 400),
        ({"project_id": "nothing"}, 400),
        ({"project_id": "lab", "domain_id": "default"}, 400),
        ({"project_id": "lab", "resource_limit": -2}, 400),
        ({"project_id": "lab", "resource_limit": "3"}, 400),
        ({"project_id": "lab", "resource_limit": True}, 400),
        ({"project_id": "lab", "resource_name": "unknown"}, 403),
        ({"project_id": "lab", "colour": "red"}, 400),
    ],
)
def test_limits_that_mean_nothing_are_refused(personas, more, status):
    if more.get("project_id") == "lab":
        more = {**more, "project_id": personas.lab.pk}
    answer = personas.admin.api.post(f"{V3}/limits", {"limits": [wish(RegisteredLimitFactory(), **more)]})
    assert answer.status_code == status, answer.content
    assert not Limit.objects.exists()


@pytest.mark.parametrize("body", [{}, {"limits": {}}, {"limits": []}, {"limits": [3]}, []])
def test_bodies_that_are_no_list_are_refused(personas, body):
    assert personas.admin.api.post(f"{V3}/limits", body).status_code == 400


def test_everybody_sees_his_own_limits_and_no_others(personas):
    row = RegisteredLimitFactory()
    own = Limit.objects.create(registered=row, project=personas.lab, resource_limit=1)
    foreign = Limit.objects.create(registered=row, project=personas.other, resource_limit=2)
    domain = Limit.objects.create(registered=row, domain_id="default", resource_limit=3)

    def seen(person):
        return {item["id"] for item in person.api.get(f"{V3}/limits").json()["limits"]}

    assert seen(personas.reader) == {own.pk}
    assert seen(personas.nobody) == set()
    assert seen(personas.admin) == seen(personas.operator) == {own.pk, foreign.pk, domain.pk}
    chief = UserFactory()
    AssignmentFactory(user=chief, role=personas.roles["reader"], domain_id="default", system=None)
    assert seen(persona(chief, domain=personas.lab.domain)) == {own.pk, foreign.pk, domain.pk}
    assert personas.reader.api.get(f"{V3}/limits/{own.pk}").status_code == 200
    assert personas.reader.api.get(f"{V3}/limits/{foreign.pk}").status_code == 403
    for method, body in (("patch", {"limit": {"resource_limit": 9}}), ("delete", None)):
        assert personas.manager.api(method, f"{V3}/limits/{own.pk}", body).status_code == 403


def test_the_model_is_told(personas, settings):
    assert personas.nobody.api.get(f"{V3}/limits/model").json()["model"]["name"] == "flat"
    settings.LIMIT_MODEL = "strict_two_level"
    assert personas.nobody.api.get(f"{V3}/limits/model").json()["model"]["name"] == "strict_two_level"


def test_projects_do_not_nest_where_two_levels_bind(personas, settings):
    settings.LIMIT_MODEL = "strict_two_level"
    body = {"project": {"name": "below", "parent_id": personas.lab.pk}}
    assert personas.admin.api.post(f"{V3}/projects", body).status_code == 403
