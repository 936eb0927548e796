"""Limits and admission."""

import pytest
from django.db import transaction

from accounts.models import ProjectLock, Quota
from accounts.services import quotas
from portal.core.errors import BadRequest, QuotaExceeded

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _declared(monkeypatch):
    monkeypatch.setattr(quotas, "_defaults", {})
    quotas.declare({"cores": 20, "instances": 10})
    quotas.declare({"ram": -1})


def test_defaults_hold_until_limits_are_set():
    assert quotas.limits("p") == {"cores": 20, "instances": 10, "ram": -1}
    assert quotas.set_limits("p", {"cores": 4}) == {"cores": 4, "instances": 10, "ram": -1}
    assert quotas.limits("other")["cores"] == 20
    quotas.set_limits("p", {"instances": 1})
    quotas.reset("p", "cores")
    assert quotas.limits("p") == {"cores": 20, "instances": 1, "ram": -1}
    quotas.reset("p")
    assert not Quota.objects.exists()


def test_the_sentence_is_the_one_that_clients_know():
    with pytest.raises(QuotaExceeded) as refused:
        quotas.admit("p", {"cores": 4}, {"cores": 20})
    assert refused.value.message == "Quota exceeded for cores: Requested 4, but already used 20 of 20 cores"
    with pytest.raises(QuotaExceeded) as refused:
        quotas.admit("p", {"instances": 2, "cores": 4, "ram": 5}, {"cores": 18, "instances": 9})
    assert refused.value.message == (
        "Quota exceeded for cores, instances: Requested 4, 2, but already used 18, 9 of 20, 10 cores, instances"
    )


def test_what_fits_passes():
    quotas.admit("p", {"cores": 2}, {"cores": 18})
    quotas.admit("p", {"ram": 10**9}, {"ram": 10**9})
    quotas.admit("p", {"cores": 0}, {"cores": 40})
    quotas.admit("p", {"cores": -1}, {"cores": 40})
    quotas.admit("p", {"undeclared": 5}, {})
    quotas.set_limits("p", {"cores": 0})
    with pytest.raises(QuotaExceeded):
        quotas.admit("p", {"cores": 1}, {})


@pytest.mark.parametrize(
    "change", [{"nonsense": 1}, {"cores": -2}, {"cores": 2**31}, {"cores": "4"}, {"cores": True}, {"cores": 1.5}]
)
def test_limits_that_are_none_are_refused(change):
    with pytest.raises(BadRequest):
        quotas.set_limits("p", {"instances": 3, **change})
    assert not Quota.objects.exists()


def test_locking_makes_the_row_once(django_assert_num_queries):
    for _round in range(2):
        with transaction.atomic(), django_assert_num_queries(2):
            quotas.lock("p")
    assert ProjectLock.objects.count() == 1
