"""/v3/policies and for whom they are, OAuth consumers, revocations, configuration of domains."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from accounts.api.v3 import presenters
from accounts.models import Consumer, DomainSetting, Policy, Region, User
from tests.accounts.factories import DomainFactory, EndpointFactory

pytestmark = pytest.mark.django_db

V3 = "/identity/v3"


def test_a_policy_is_kept_changed_and_deleted(personas):
    api = personas.admin.api
    made = api.post(f"{V3}/policies", {"policy": {"type": "application/json", "blob": {"a": "b"}, "note": "x"}})
    assert made.status_code == 201
    policy = made.json()["policy"]
    assert (policy["blob"], policy["type"], policy["note"]) == ({"a": "b"}, "application/json", "x")
    address = f"{V3}/policies/{policy['id']}"
    assert api.patch(address, {"policy": {"blob": "text"}}).json()["policy"]["blob"] == "text"
    assert [row["id"] for row in api.get(f"{V3}/policies?type=application/json").json()["policies"]] == [policy["id"]]
    assert api.post(f"{V3}/policies", {"policy": {"type": "x", "blob": 3}}).status_code == 400
    assert personas.manager.api.get(address).status_code == 403
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


def test_the_nearest_policy_is_an_endpoints(personas):
    api = personas.admin.api
    west = Region.objects.create(pk="west", parent=Region.objects.create(pk="all"))
    endpoint = EndpointFactory(region=west)
    for_service, for_region, own = (Policy.objects.create(type="t", blob=name) for name in ("service", "region", "own"))

    def address(policy, where):
        return f"{V3}/policies/{policy.pk}/OS-ENDPOINT-POLICY/{where}"

    def blob():
        answer = api.get(f"{V3}/endpoints/{endpoint.pk}/OS-ENDPOINT-POLICY/policy")
        return answer.json()["policy"]["blob"] if answer.status_code == 200 else answer.status_code

    places = {
        for_service: f"services/{endpoint.service_id}",
        for_region: f"services/{endpoint.service_id}/regions/all",
        own: f"endpoints/{endpoint.pk}",
    }
    assert blob() == 404
    for policy, where in places.items():
        assert api.head(address(policy, where)).status_code == 404
        assert api.put(address(policy, where)).status_code == 204
        assert api.head(address(policy, where)).status_code == 204
        assert blob() == policy.blob
    listed = [api.get(address(policy, "endpoints")).json()["endpoints"] for policy in places]
    assert [len(rows) for rows in listed] == [0, 0, 1]
    assert api.put(address(for_service, places[own])).status_code == 204
    assert api.head(address(own, places[own])).status_code == 404
    assert blob() == "service"
    assert api.delete(address(for_service, places[own])).status_code == 204
    assert blob() == "region"
    assert personas.member.api.put(address(own, places[own])).status_code == 403


def test_a_consumers_secret_is_told_once_and_not_kept(personas):
    api = personas.admin.api
    made = api.post(f"{V3}/OS-OAUTH1/consumers", {"consumer": {"description": "app"}}).json()["consumer"]
    address = f"{V3}/OS-OAUTH1/consumers/{made['id']}"
    assert len(made["secret"]) == 64
    assert "secret" not in api.get(address).json()["consumer"]
    assert made["secret"] not in str(Consumer.objects.values().get())
    assert api.patch(address, {"consumer": {"description": "new"}}).json()["consumer"]["description"] == "new"
    assert api.patch(address, {"consumer": {"secret": "mine"}}).status_code == 400
    assert [row["id"] for row in api.get(f"{V3}/OS-OAUTH1/consumers").json()["consumers"]] == [made["id"]]
    assert personas.manager.api.get(address).status_code == 403
    assert api.delete(address).status_code == 204


def test_revoked_tokens_are_listed_for_services(personas):
    personas.member.api.delete(f"{V3}/auth/tokens", X_Subject_Token=personas.member.token)
    events = personas.service.api.get(f"{V3}/OS-REVOKE/events").json()["events"]
    assert [set(event) for event in events if "audit_id" in event] == [{"audit_id", "issued_before", "revoked_at"}]
    assert personas.service.api.get(f"{V3}/OS-REVOKE/events?since=2999-01-01T00:00:00Z").json()["events"] == []
    assert personas.service.api.get(f"{V3}/OS-REVOKE/events?since=yesterday").status_code == 400
    assert personas.manager.api.get(f"{V3}/OS-REVOKE/events").status_code == 403


def test_a_user_whose_tokens_all_ended_is_listed_for_services(personas):
    since = timezone.now()
    user = personas.stranger.user
    personas.admin.api.patch(f"{V3}/users/{user.pk}", {"user": {"enabled": False}})
    address = f"{V3}/OS-REVOKE/events?{urlencode({'since': since.isoformat()})}"
    (event,) = personas.service.api.get(address).json()["events"]
    user.refresh_from_db()
    assert (event["user_id"], event["issued_before"]) == (user.pk, presenters.time(user.tokens_valid_from))
    User.objects.update(tokens_valid_from=since - timedelta(days=2))
    assert personas.service.api.get(f"{V3}/OS-REVOKE/events").json()["events"] == []


CONFIG = {"identity": {"driver": "ldap", "list_limit": 5}, "ldap": {"url": "ldap://x", "user_tree_dn": "ou=a"}}


def test_a_domain_is_configured_option_by_option(personas):
    api, address = personas.admin.api, f"{V3}/domains/{DomainFactory().pk}/config"
    assert api.get(address).status_code == 404
    assert api.put(address, {"config": CONFIG}).status_code == 201
    assert api.put(address, {"config": CONFIG}).status_code == 200
    assert api.get(address).json() == {"config": CONFIG}
    assert api.get(f"{address}/ldap").json() == {"config": {"ldap": CONFIG["ldap"]}}
    assert api.get(f"{address}/ldap/url").json() == {"config": {"url": "ldap://x"}}
    changed = api.patch(f"{address}/ldap/url", {"config": {"url": "ldap://y"}}).json()["config"]
    assert changed == {"ldap": {"url": "ldap://y", "user_tree_dn": "ou=a"}}
    assert api.patch(address, {"config": {"identity": {"list_limit": 7}}}).json()["config"]["identity"]["list_limit"] == 7
    assert api.delete(f"{address}/ldap/url").status_code == 204
    assert api.get(f"{address}/ldap/url").status_code == 404
    assert api.delete(f"{address}/ldap").status_code == 204
    assert api.delete(f"{address}/ldap").status_code == 404
    assert api.delete(address).status_code == 204
    assert not DomainSetting.objects.exists()


@pytest.mark.parametrize(
    ("method", "path", "config", "status"),
    [
        ("put", "", {}, 403),
        ("put", "", {"unknown": {"a": 1}}, 403),
        ("put", "", {"ldap": {"password": "x"}}, 403),
        ("put", "", {"identity": {}}, 403),
        ("put", "", {"identity": "x"}, 403),
        ("put", "", None, 400),
        ("patch", "/ldap", {"identity": {"driver": "x"}}, 403),
        ("patch", "/identity/driver", {"list_limit": 3}, 403),
        ("patch", "/identity/driver", {"driver": "x"}, 404),
        ("get", "/nothing", None, 403),
        ("get", "/ldap/nothing", None, 403),
    ],
)
def test_configuration_that_means_nothing_is_refused(personas, method, path, config, status):
    address = f"{V3}/domains/default/config{path}"
    body = None if method == "get" else {"config": config}
    assert personas.admin.api(method, address, body).status_code == status


def test_defaults_are_told(personas):
    api = personas.admin.api
    assert api.get(f"{V3}/domains/config/default").json()["config"]["identity"]["driver"] == "sql"
    assert set(api.get(f"{V3}/domains/config/identity/default").json()["config"]) == {"identity"}
    assert api.get(f"{V3}/domains/config/identity/driver/default").json() == {"config": {"driver": "sql"}}
    assert personas.member.api.get(f"{V3}/domains/config/default").status_code == 403


def test_everybody_may_know_what_passwords_have_to_look_like(personas, settings):
    settings.PASSWORD_REGEX, settings.PASSWORD_REGEX_WORDS = ".{12,}", "Twelve characters."
    api, address = personas.reader.api, f"{V3}/domains/default/config/security_compliance"
    told = {"password_regex": ".{12,}", "password_regex_description": "Twelve characters."}
    assert api.get(address).json() == {"config": {"security_compliance": told}}
    assert api.get(f"{address}/password_regex").json() == {"config": {"password_regex": ".{12,}"}}
    assert api.head(address).status_code == 200
    assert api.get(f"{address}/lockout_duration").status_code == 403
    assert api.get(f"{V3}/domains/{DomainFactory().pk}/config/security_compliance").status_code == 403
    assert personas.operator.api.patch(address, {"config": {"password_regex": "."}}).status_code == 405
