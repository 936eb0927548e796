"""One truth in identity: for every rule about an object, every person, own and foreign objects, engine, ``has_perm`` and API agree."""

import pytest

from accounts.models import Limit
from accounts.services import vault
from portal.core.policy import allowed
from portal.core.policy.rules import registry
from tests.accounts.factories import (
    AssignmentFactory,
    DomainFactory,
    GroupFactory,
    ProjectFactory,
    RegisteredLimitFactory,
    RoleFactory,
    UserFactory,
)
from tests.kit.identity import persona, personas  # noqa: F401

pytestmark = pytest.mark.django_db

V3 = "/identity/v3"
PEOPLE = ("reader", "member", "manager", "admin", "service", "stranger", "operator", "nobody", "chief")
# Of each kind of object: the address, and what is asked of it under which rule.
ACTS = {
    "project": ("projects", {"project": {"description": "x"}}),
    "user": ("users", {"user": {"description": "x"}}),
    "group": ("groups", {"group": {"description": "x"}}),
    "domain": ("domains", {"domain": {"description": "x"}}),
    "credential": ("credentials", {"credential": {"blob": "x"}}),
    "limit": ("limits", {"limit": {"description": "x"}}),
}
VERBS = {"get": "get", "patch": "update", "delete": "delete"}


@pytest.fixture
def world(personas):  # noqa: F811
    """People, one of them the manager of a domain of his own; and of each kind an object of theirs and a foreign one."""
    home = DomainFactory()
    chief = UserFactory(domain=home)
    AssignmentFactory(user=chief, role=personas.roles["manager"], domain=home)
    personas.chief = persona(chief, domain=home)
    registered, member, stranger = RegisteredLimitFactory(), personas.member.user, personas.stranger.user
    make = member.credentials.model.objects.create
    objects = {
        "project": [personas.lab, personas.other, ProjectFactory(domain=home)],
        "user": [member, stranger, UserFactory(domain=home)],
        "group": [GroupFactory(), GroupFactory(domain=home)],
        "domain": [home, DomainFactory(enabled=False)],
        "credential": [make(user=user, type="cert", sealed=vault.seal("b")) for user in (member, stranger)],
        "limit": [
            Limit.objects.create(registered=registered, project=project, resource_limit=1)
            for project in (personas.lab, personas.other)
        ],
    }
    return personas, objects


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", ACTS)
def test_api_and_engine_agree(world, who, verb, kind):
    people, objects = world
    person = getattr(people, who)
    path, body = ACTS[kind]
    rule = registry.of("identity")[f"identity:{VERBS[verb]}_{kind}"]
    for number, obj in reversed(list(enumerate(objects[kind]))):  # the own project goes last, with its scope
        target = {key: value for key, value in obj.policy_target().items() if value is not None}
        may = allowed(person.ctx, rule, target)

        answer = person.api(verb, f"{V3}/{path}/{obj.pk}", body if verb == "patch" else None)

        expected = {200, 204, 403, 404, 409} - ({403} if may and not _held_back(kind, verb) else set()) if may else {403, 404}
        assert answer.status_code in expected, (kind, number, verb, answer.content)
        if may and verb == "get":
            assert answer.status_code == 200


def _held_back(kind: str, verb: str) -> bool:
    """Whether a thing itself may refuse: an enabled domain is not deleted."""
    return (kind, verb) == ("domain", "delete")


@pytest.mark.parametrize("who", PEOPLE)
def test_has_perm_and_engine_agree(world, who):
    people, objects = world
    person = getattr(people, who)
    person.user.ctx = person.ctx
    for kind, rows in objects.items():
        for rule in registry.of("identity").values():
            if rule.perm and rule.perm.endswith(f"_{kind}"):
                for obj in rows:
                    assert person.user.has_perm(rule.perm, obj) == allowed(person.ctx, rule, obj), (rule.name, kind)


def test_a_body_cannot_make_a_thing_somebody_elses(world):
    """Ids and owners in bodies are refused or left unheard, never obeyed."""
    people, objects = world
    foreign, api = people.stranger.user.pk, people.member.api
    user = objects["user"][0]
    key = {"application_credential": {"name": "k", "user_id": foreign, "project_id": people.other.pk, "roles": []}}
    made = api.post(f"{V3}/users/{user.pk}/application_credentials", key)
    assert made.status_code in (201, 400, 403)
    if made.status_code == 201:
        assert made.json()["application_credential"]["project_id"] == people.lab.pk
    wish = {"credential": {"type": "cert", "blob": "x", "user_id": foreign}}
    assert api.post(f"{V3}/credentials", wish).status_code == 403
    assert api.post(f"{V3}/users/{foreign}/credentials/OS-EC2", {"tenant_id": people.other.pk}).status_code in (403, 404)
    trust = {"trust": {"trustor_user_id": foreign, "trustee_user_id": user.pk, "impersonation": True, "roles": []}}
    assert api.post(f"{V3}/OS-TRUST/trusts", trust).status_code in (400, 403)
    admin = people.admin.api
    project = objects["project"][0]
    answer = admin.patch(f"{V3}/projects/{project.pk}", {"project": {"id": "mine", "domain_id": objects["domain"][0].pk}})
    assert answer.status_code == 400
    project.refresh_from_db()
    assert (project.pk, project.domain_id) == (people.lab.pk, "default")
    role = RoleFactory(name="plain")
    assert admin.patch(f"{V3}/roles/{role.pk}", {"role": {"domain_id": objects["domain"][0].pk}}).status_code == 400
