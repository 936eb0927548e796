"""Quota sets of users, quota classes, and what they hold at each version."""

import pytest

from accounts.services import quotas
from compute.models import ServerGroup, UserLimit
from tests.accounts.factories import ServiceFactory
from tests.kit.api import Row, check, matrix

V2 = "/compute/v2.1"
CLASS = f"{V2}/os-quota-class-sets/default"
ALWAYS = {"instances", "cores", "ram", "key_pairs", "metadata_items"}
GROUPS = {"server_groups", "server_group_members"}
FILES = {"injected_files", "injected_file_content_bytes", "injected_file_path_bytes"}
PROXIED = {"fixed_ips", "floating_ips", "security_groups", "security_group_rules"}


@pytest.fixture(autouse=True)
def _catalog(db):
    ServiceFactory(type="compute")


@pytest.fixture
def path(personas):
    return f"{V2}/os-quota-sets/{personas.lab.pk}"


@pytest.fixture
def of_user(personas, path):
    return f"{path}?user_id={personas.member.user.pk}"


def limit(**figures):
    return {"quota_set": figures}


@pytest.mark.parametrize(
    ("version", "names"),
    [("2.1", ALWAYS | GROUPS | FILES | PROXIED), ("2.36", ALWAYS | GROUPS | FILES), ("2.57", ALWAYS | GROUPS)],
)
def test_a_quota_set_names_what_its_version_knows(personas, path, version, names):
    for tail in ("", "/defaults", "/detail"):
        shown = check(personas, Row("member", "get", f"{path}{tail}", 200, version=version))[0].json()["quota_set"]
        assert set(shown) == names | {"id"}
    gone = (PROXIED | FILES) - names
    check(personas, *(Row("admin", "put", path, 400, limit(**{name: 1}), version) for name in gone))
    every = limit(**dict.fromkeys(names, 7))
    changed = check(personas, Row("admin", "put", path, 200, every, version))[0].json()
    assert changed == every


@pytest.mark.parametrize(
    ("version", "names"),
    [("2.1", ALWAYS | FILES | PROXIED), ("2.50", ALWAYS | FILES | GROUPS), ("2.57", ALWAYS | GROUPS)],
)
def test_a_quota_class_holds_the_defaults(personas, path, version, names):
    body = {"quota_class_set": dict.fromkeys(names, 9)}
    bad = [{}, {"quota_class_set": {"more": 1}}, {"quota_class_set": {"ram": -2}}]
    rows = matrix("put", CLASS, body=body, ok=200, who="admin", stranger=403, weak="member", malformed=bad, version=version)
    assert check(personas, *rows)[-1].json() == body
    shown = check(personas, Row("admin", "get", CLASS, 200, version=version))[0].json()["quota_class_set"]
    assert shown == {"id": "default", **body["quota_class_set"]}
    assert personas.member.api.get(path).json()["quota_set"]["cores"] == 9


def test_other_classes_have_no_projects(personas):
    check(personas, Row("admin", "put", f"{V2}/os-quota-class-sets/gold", 400, {"quota_class_set": {"cores": 1}}))
    check(personas, Row("member", "put", f"{V2}/os-quota-class-sets/gold", 403, {"quota_class_set": {"cores": 1}}))
    assert quotas.defaults()["cores"] == 20


def test_a_user_has_limits_of_his_own(personas, path, of_user):
    changed = check(personas, *matrix("put", of_user, body=limit(cores=4), ok=200, who="admin", stranger=403, weak="member"))
    assert changed[-1].json()["quota_set"]["cores"] == 4
    assert personas.member.api.get(of_user).json()["quota_set"]["cores"] == 4
    assert personas.member.api.get(path).json()["quota_set"]["cores"] == 20
    check(
        personas,
        Row("admin", "put", of_user, 400, limit(cores=21), says="less than or equal to 20"),
        Row("admin", "put", of_user, 400, limit(cores=-1)),
        Row("admin", "put", of_user, 200, limit(cores=21, force=True)),
        Row("member", "delete", of_user, 403),
        Row("admin", "delete", of_user, 202),
    )
    assert personas.member.api.get(of_user).json()["quota_set"]["cores"] == 20


def test_a_users_limit_is_not_below_what_he_uses(personas, cloud, path, of_user):
    check(personas, Row("admin", "put", of_user, 400, limit(instances=0), says="already used 1"))
    detail = personas.member.api.get(of_user.replace("?", "/detail?")).json()["quota_set"]
    assert detail["instances"] == {"limit": 10, "in_use": 1, "reserved": 0}
    ServerGroup.objects.create(name="g", policy="affinity", project_id=personas.lab.pk, user_id=personas.member.user.pk)
    detail = personas.member.api.get(f"{path}/detail").json()["quota_set"]
    assert (detail["server_groups"]["in_use"], detail["cores"]["in_use"]) == (1, 1)
    nobody = personas.member.api.get(f"{path}/detail?user_id={'f' * 32}").json()["quota_set"]
    assert (nobody["instances"]["in_use"], nobody["server_groups"]["in_use"]) == (0, 0)


def test_a_project_put_back_takes_its_users_along(personas, path, of_user):
    check(personas, Row("admin", "put", of_user, 200, limit(cores=4)), Row("admin", "delete", path, 202))
    assert not UserLimit.objects.exists()


def test_what_is_no_project_has_no_quota(personas):
    nothing = f"{V2}/os-quota-sets/{'e' * 32}"
    check(
        personas,
        Row("admin", "get", nothing, 400),
        Row("admin", "get", f"{nothing}/detail", 400),
        Row("admin", "put", nothing, 400, limit(cores=1)),
        Row("admin", "put", f"{nothing}?user_id={'f' * 32}", 400, limit(cores=1)),
    )
