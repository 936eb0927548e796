"""OS-EP-FILTER: what a project sees of the catalog."""

import pytest

from accounts.models import EndpointGroup, ProjectEndpoint
from tests.accounts.factories import EndpointFactory, ServiceFactory

pytestmark = pytest.mark.django_db

V3 = "/identity/v3"
FILTER = f"{V3}/OS-EP-FILTER"


@pytest.fixture
def endpoints():
    """Two services with a public and an internal endpoint each."""
    services = [ServiceFactory(type=kind, name=kind) for kind in ("compute", "image")]
    return {
        (service.type, interface): EndpointFactory(service=service, interface=interface, url=f"http://{service.type}")
        for service in services
        for interface in ("public", "internal")
    }


def seen(api):
    return {
        (entry["type"], endpoint["interface"])
        for entry in api.get(f"{V3}/auth/catalog").json()["catalog"]
        for endpoint in entry["endpoints"]
    }


def test_a_project_that_was_given_nothing_sees_everything(personas, endpoints):
    assert seen(personas.member.api) == set(endpoints)


def test_single_endpoints_and_groups_are_all_that_a_project_sees(personas, endpoints):
    api, lab = personas.admin.api, personas.lab.pk
    one = endpoints["image", "public"]
    assert api.put(f"{FILTER}/projects/{lab}/endpoints/{one.pk}").status_code == 204
    assert seen(personas.member.api) == {("image", "public")}
    assert seen(personas.stranger.api) == set(endpoints)
    compute = endpoints["compute", "public"].service
    body = {"endpoint_group": {"name": "inside", "filters": {"service_id": compute.pk, "interface": "internal"}}}
    group = api.post(f"{FILTER}/endpoint_groups", body).json()["endpoint_group"]
    assert api.put(f"{FILTER}/endpoint_groups/{group['id']}/projects/{lab}").status_code == 204
    assert seen(personas.member.api) == {("image", "public"), ("compute", "internal")}

    def ids(path, key):
        return {row["id"] for row in api.get(f"{FILTER}/{path}").json()[key]}

    inside = endpoints["compute", "internal"].pk
    assert ids(f"endpoint_groups/{group['id']}/endpoints", "endpoints") == {inside}
    assert ids(f"endpoint_groups/{group['id']}/projects", "projects") == {lab}
    assert ids(f"projects/{lab}/endpoint_groups", "endpoint_groups") == {group["id"]}
    assert ids(f"projects/{lab}/endpoints", "endpoints") == {one.pk, inside}
    assert ids(f"endpoints/{one.pk}/projects", "projects") == {lab}
    assert api.head(f"{FILTER}/endpoint_groups/{group['id']}/projects/{lab}").status_code == 200
    assert api.head(f"{FILTER}/projects/{lab}/endpoints/{one.pk}").status_code == 204
    assert api.delete(f"{FILTER}/projects/{lab}/endpoints/{one.pk}").status_code == 204
    assert api.delete(f"{FILTER}/projects/{lab}/endpoints/{one.pk}").status_code == 404
    assert api.delete(f"{FILTER}/endpoint_groups/{group['id']}/projects/{lab}").status_code == 204
    assert api.get(f"{FILTER}/endpoint_groups/{group['id']}/projects/{lab}").status_code == 404
    assert seen(personas.member.api) == set(endpoints)


def test_a_group_is_changed_and_deleted(personas, endpoints):
    api = personas.admin.api
    group = EndpointGroup.objects.create(name="g", filters={"interface": "public"})
    address = f"{FILTER}/endpoint_groups/{group.pk}"
    changed = api.patch(address, {"endpoint_group": {"filters": {"interface": "internal"}}}).json()["endpoint_group"]
    assert (changed["name"], changed["filters"]) == ("g", {"interface": "internal"})
    assert [row["id"] for row in api.get(f"{FILTER}/endpoint_groups?name=g").json()["endpoint_groups"]] == [group.pk]
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


@pytest.mark.parametrize("filters", [{"colour": "red"}, {"interface": "private"}, "public", {"service_id": 3}])
def test_filters_that_mean_nothing_are_refused(personas, filters):
    body = {"endpoint_group": {"name": "g", "filters": filters}}
    assert personas.admin.api.post(f"{FILTER}/endpoint_groups", body).status_code == 400


@pytest.mark.parametrize("who", ["reader", "member", "manager", "stranger"])
def test_others_change_and_see_nothing(personas, endpoints, who):
    api, lab = getattr(personas, who).api, personas.lab.pk
    one = endpoints["image", "public"].pk
    assert api.put(f"{FILTER}/projects/{lab}/endpoints/{one}").status_code == 403
    assert api.get(f"{FILTER}/projects/{lab}/endpoints").status_code == 403
    assert api.get(f"{FILTER}/endpoint_groups").status_code == 403
    assert api.get(f"{FILTER}/endpoints/{one}/projects").status_code == 403
    assert not ProjectEndpoint.objects.exists()
