"""Limits in the services' words, and admission: flat, and where domains and projects bind each other."""

import pytest
from django.db import transaction

from accounts.models import Limit, ProjectLock, RegisteredLimit
from accounts.services import quotas
from accounts.services.quotas import Resource
from portal.core.errors import BadRequest, Forbidden, QuotaExceeded
from tests.accounts.factories import DomainFactory, ProjectFactory, ServiceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def used(monkeypatch):
    """What each project uses of cores, which a test may change."""
    monkeypatch.setattr(quotas, "_resources", {})
    monkeypatch.setattr(quotas, "_counts", {})
    found: dict[str, int] = {}
    cores, instances = Resource("compute", "class:VCPU", 20), Resource("compute", "servers", 10)
    quotas.declare({"cores": cores, "instances": instances}, lambda keys: {"cores": sum(found.get(key, 0) for key in keys)})
    quotas.declare({"ram": Resource("compute", "class:MEMORY_MB", -1)}, lambda keys: {})
    ServiceFactory(type="compute")
    return found


@pytest.fixture
def p():
    return ProjectFactory().pk


def test_defaults_hold_until_limits_are_set(p, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert quotas.limits(p) == {"cores": 20, "instances": 10, "ram": -1}
    assert quotas.set_limits(p, {"cores": 4}) == {"cores": 4, "instances": 10, "ram": -1}
    assert quotas.limits("other")["cores"] == 20
    quotas.set_limits(p, {"instances": 1})
    quotas.reset(p)
    assert quotas.limits(p) == {"cores": 20, "instances": 10, "ram": -1}
    assert not Limit.objects.exists()


def test_a_registered_limit_is_the_default_of_everybody(p):
    quotas.register_all()
    assert RegisteredLimit.objects.count() == 3
    RegisteredLimit.objects.filter(resource_name="class:VCPU").update(default_limit=7)
    quotas.register_all()
    assert quotas.limits(p)["cores"] == quotas.limits("other")["cores"] == 7
    assert quotas.set_defaults({"instances": 2})["instances"] == 2
    assert quotas.limits(p)["instances"] == 2


def test_the_sentence_is_the_one_that_clients_know(p):
    with pytest.raises(QuotaExceeded) as refused:
        quotas.admit(p, {"cores": 4}, {"cores": 20})
    assert refused.value.message == "Quota exceeded for cores: Requested 4, but already used 20 of 20 cores"
    with pytest.raises(QuotaExceeded) as refused:
        quotas.admit(p, {"instances": 2, "cores": 4, "ram": 5}, {"cores": 18, "instances": 9})
    assert refused.value.message == (
        "Quota exceeded for cores, instances: Requested 4, 2, but already used 18, 9 of 20, 10 cores, instances"
    )


def test_what_fits_passes(p):
    quotas.admit(p, {"cores": 2}, {"cores": 18})
    quotas.admit(p, {"ram": 10**9}, {"ram": 10**9})
    quotas.admit(p, {"cores": 0}, {"cores": 40})
    quotas.admit(p, {"cores": -1}, {"cores": 40})
    quotas.admit(p, {"undeclared": 5}, {})
    quotas.set_limits(p, {"cores": 0})
    with pytest.raises(QuotaExceeded):
        quotas.admit(p, {"cores": 1}, {})
    assert quotas.rooms(p, {"cores": 3, "instances": 4, "ram": 5}) == {"cores": 0, "instances": 6}


@pytest.mark.parametrize(
    "change", [{"nonsense": 1}, {"cores": -2}, {"cores": 2**31}, {"cores": "4"}, {"cores": True}, {"cores": 1.5}]
)
def test_limits_that_are_none_are_refused(p, change):
    with pytest.raises(BadRequest):
        quotas.set_limits(p, {"instances": 3, **change})
    assert not Limit.objects.exists()


def test_a_project_that_is_not_there_has_no_limits_of_its_own():
    with pytest.raises(BadRequest):
        quotas.set_limits("nothing", {"cores": 3})


def test_locking_makes_the_row_once(django_assert_num_queries):
    for _round in range(2):
        with transaction.atomic(), django_assert_num_queries(2):
            quotas.lock("p")
    assert ProjectLock.objects.count() == 1


@pytest.fixture
def two_levels(settings):
    """A domain limited to 10 cores, with two projects."""
    settings.LIMIT_MODEL = "strict_two_level"
    domain = DomainFactory()
    row = quotas.registered_limit("cores")
    Limit.objects.create(registered=row, domain=domain, resource_limit=10)
    return [ProjectFactory(domain=domain).pk for _count in range(2)]


def test_projects_share_what_their_domain_may_use(two_levels, used):
    first, second = two_levels
    used.update({first: 3, second: 6})
    quotas.admit(first, {"cores": 1}, {"cores": 3})
    assert quotas.rooms(first, {"cores": 3}) == {"cores": 1}
    with pytest.raises(QuotaExceeded, match="already used 9 of 10 cores"):
        quotas.admit(first, {"cores": 2}, {"cores": 3})


def test_limits_of_projects_stay_below_their_domains(two_levels):
    first, second = two_levels
    quotas.set_limits(first, {"cores": 6})
    for limit in (5, -1, 11):
        with pytest.raises(Forbidden):
            quotas.set_limits(second, {"cores": limit})
    assert quotas.set_limits(second, {"cores": 4})["cores"] == 4


def test_domain_and_project_are_locked_in_one_order(two_levels):
    with transaction.atomic():
        quotas.lock(two_levels[0])
    assert ProjectLock.objects.count() == 2
