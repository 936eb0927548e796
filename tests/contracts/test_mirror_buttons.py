"""One truth on pages: what a button says of its rule is what the engine says, and what one may not see has no buttons."""

from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ApplicationCredential
from compute.models import Keypair
from compute.network.models import Network, SecurityGroup
from portal.core.policy import allowed
from portal.dashboard.api_access.actions import BY_NAME as OF_CREDENTIALS
from portal.dashboard.images.actions import BY_NAME as OF_IMAGES
from portal.dashboard.instances.actions import BY_NAME as OF_INSTANCES
from portal.dashboard.keys.actions import BY_NAME as OF_KEYS
from portal.dashboard.networks.tables import BY_NAME as OF_NETWORKS
from portal.dashboard.security_groups.actions import BY_NAME as OF_GROUPS
from tests.kit.compute import FlavorFactory, HostFactory, ServerFactory, make_image
from tests.kit.identity import Persona, personas  # noqa: F401

pytestmark = pytest.mark.django_db

PEOPLE = ("reader", "member", "manager", "admin", "service", "stranger")
# Of each kind: its buttons, and where the API shows one.
PANELS = {
    "server": (OF_INSTANCES, "/compute/v2.1/servers/{0.pk}"),
    "image": (OF_IMAGES, "/image/v2/images/{0.pk}"),
    "credential": (OF_CREDENTIALS, "/identity/v3/users/{0.user_id}/application_credentials/{0.pk}"),
    "key": (OF_KEYS, "/compute/v2.1/os-keypairs/{0.name}"),
    "network": (OF_NETWORKS, "/network/v2.0/networks/{0.pk}"),
    "group": (OF_GROUPS, "/network/v2.0/security-groups/{0.pk}"),
}


@pytest.fixture
def things(personas):  # noqa: F811
    """Of each kind one of the member's project, or his own, and a foreign one."""
    HostFactory(name="host1")
    FlavorFactory(flavor_id="1")
    owners = ((personas.lab, personas.member.user), (personas.other, personas.stranger.user))

    def credential(project, user):
        return ApplicationCredential.objects.create(name="backup", user=user, project=project, secret_hash="x")

    def key(_project, user):
        return Keypair.objects.create(user_id=user.pk, name=f"k-{user.name}", public_key="x", fingerprint="f")

    makers = {
        "server": lambda project, user: ServerFactory(project_id=project.pk, user_id=user.pk, host="host1"),
        "image": lambda project, _user: make_image(owner=project.pk, visibility="private"),
        "credential": credential,
        "key": key,
        "network": lambda project, _user: Network.objects.create(
            name="backend", project_id=project.pk, bridge=f"br-{project.name}"
        ),
        "group": lambda project, _user: SecurityGroup.objects.create(name="web", project_id=project.pk),
    }
    return SimpleNamespace(**{kind: [make(*owner) for owner in owners] for kind, make in makers.items()})


def status(kind: str, person: Persona, thing) -> int:
    """What the API answers this person about it, and so the page; but a page keeps to what is his own, or his project's."""
    mine = {"credential": ("user_id", person.user), "key": ("user_id", person.user), "network": ("project_id", person.project)}
    if kind in mine:
        owner, me = mine[kind]
        if getattr(thing, owner) != me.pk:
            return 404
    return person.api.get(PANELS[kind][1].format(thing)).status_code


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("kind", PANELS)
def test_a_button_says_of_its_rule_what_the_engine_says(personas, things, kind, who):  # noqa: F811
    person: Persona = getattr(personas, who)
    browser = person.sign_in(Client())
    for thing in getattr(things, kind):
        expected = status(kind, person, thing)
        for action in PANELS[kind][0].values():
            rule = action.rule_for(thing)
            may = allowed(person.ctx, rule, thing)

            page = browser.get(reverse(f"{action.panel}:why", args=[thing.pk, action.name]))

            assert page.status_code == expected, (kind, action.name)
            if expected == 200:
                assert (rule.name in page.text) == (not may), (kind, action.name)
            if rule.perm and rule.perm.startswith(f"{thing._meta.app_label}."):
                assert person.user.has_perm(rule.perm, thing) == may, (kind, action.name)


@pytest.mark.parametrize("who", ["operator", "nobody"])
@pytest.mark.parametrize("kind", PANELS)
def test_who_works_in_no_project_has_no_buttons(personas, things, kind, who):  # noqa: F811
    browser = getattr(personas, who).sign_in(Client())
    for thing in getattr(things, kind):
        for action in PANELS[kind][0].values():
            page = browser.get(reverse(f"{action.panel}:why", args=[thing.pk, action.name]))
            assert page.status_code == 403
