"""One truth: the engine, ``user.has_perm`` and the API's status agree for every rule, person and kind of object."""

import pytest
from guardian.shortcuts import assign_perm

from compute.models import Keypair
from portal.core.policy import allowed
from portal.core.policy.rules import registry
from tests.kit.compute import *  # noqa: F403
from tests.kit.compute import FlavorFactory, HostFactory, ServerFactory, make_image
from tests.kit.identity import personas  # noqa: F401

pytestmark = pytest.mark.django_db

PEOPLE = ("reader", "member", "manager", "admin", "service", "stranger", "operator", "nobody")

ACTS = {
    "os_compute_api:servers:show": ("get", "", None),
    "os_compute_api:servers:start": ("post", "/action", {"os-start": None}),
    "os_compute_api:servers:stop": ("post", "/action", {"os-stop": None}),
    "os_compute_api:servers:reboot": ("post", "/action", {"reboot": {"type": "HARD"}}),
    "os_compute_api:servers:create_image": ("post", "/action", {"createImage": {"name": "copy"}}),
    "os_compute_api:os-shelve:unshelve": ("post", "/action", {"unshelve": None}),
    "os_compute_api:os-shelve:shelve_offload": ("post", "/action", {"shelveOffload": None}),
    "os_compute_api:servers:update": ("put", "", {"server": {"name": "renamed"}}),
    "os_compute_api:servers:delete": ("delete", "", None),
}


@pytest.fixture
def things(personas):  # noqa: F811
    """One object of each kind, in the project, in another one, and open to all."""
    host = HostFactory(name="host-1")
    lab, other = personas.lab.pk, personas.other.pk
    return [
        ServerFactory(project_id=lab, user_id=personas.member.user.pk),
        ServerFactory(project_id=other, user_id=personas.stranger.user.pk),
        make_image(owner=lab, visibility="private"),
        make_image(owner=other, visibility="private"),
        make_image(owner=other, visibility="public"),
        make_image(owner=lab, visibility="shared"),
        Keypair.objects.create(user_id=personas.member.user.pk, name="k", public_key="x", fingerprint="f"),
        FlavorFactory(),
        host.service,
        personas.lab,
        personas.member.user,
        personas.roles["member"],
    ]


def rules_about(thing):
    label = f"{thing._meta.app_label}."
    return [rule for rule in registry.with_perm() if rule.perm.startswith(label)]


@pytest.mark.parametrize("who", PEOPLE)
def test_has_perm_says_what_the_engine_says(personas, things, who):  # noqa: F811
    person = getattr(personas, who)
    for thing in things:
        for rule in rules_about(thing):
            said = person.user.has_perm(rule.perm, thing)
            assert said == allowed(person.ctx, rule, thing), f"{who}: {rule.name} on {thing!r}"


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("rule_name", ACTS)
def test_the_api_answers_as_the_engine_does(personas, hosts, who, rule_name):  # noqa: F811
    HostFactory(name="host-1")
    person = getattr(personas, who)
    server = ServerFactory(project_id=personas.lab.pk, user_id=personas.member.user.pk)
    rules = registry.of("compute")
    method, path, body = ACTS[rule_name]
    sees = allowed(person.ctx, rules["os_compute_api:servers:show"], server)
    may = allowed(person.ctx, rules[rule_name], server)

    answer = person.api(method, f"/compute/v2.1/servers/{server.pk}{path}", body)

    hidden = not sees and person.ctx.project_id != server.project_id
    expected = {404} if hidden else {200, 202, 204, 409} if may else {403}
    assert answer.status_code in expected, answer.content


def test_a_share_opens_what_it_names_and_nothing_else(personas, hosts):  # noqa: F811
    HostFactory(name="host-1")
    stranger = personas.stranger
    server = ServerFactory(project_id=personas.lab.pk)
    address = f"/compute/v2.1/servers/{server.pk}"
    assert stranger.api.get(address).status_code == 404

    for perm in ("compute.view_server", "compute.stop_server"):
        assign_perm(perm, stranger.user, server)

    assert stranger.user.has_perm("compute.stop_server", server)
    assert not stranger.user.has_perm("compute.delete_server", server)
    assert stranger.api.get(address).status_code == 200
    assert stranger.api.post(f"{address}/action", {"os-stop": None}).status_code == 202
    assert stranger.api.delete(address).status_code == 403
