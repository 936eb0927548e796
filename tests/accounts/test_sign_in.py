"""Signing in on the pages, what ``has_perm`` says, and the caller on requests and websockets."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import authenticate, login
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AnonymousUser, Permission
from django.http import HttpResponse
from django.test import Client, RequestFactory

from accounts import policies
from accounts.hashers import OwaspArgon2Hasher, check_in_vain
from accounts.middleware import ContextMiddleware
from accounts.models import Assignment, User
from accounts.services import users
from accounts.websocket import SameOrigin, SessionContextMiddleware, current_context, is_same_origin
from portal.core.context import RequestContext
from portal.core.policies import ADMIN_SITE
from portal.core.policy import allowed, registry
from tests.accounts.factories import PASSWORD, AssignmentFactory, DomainFactory, ProjectFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_argon2id_with_owasps_figures(settings):
    settings.PASSWORD_HASHERS = ["accounts.hashers.OwaspArgon2Hasher", "django.contrib.auth.hashers.Argon2PasswordHasher"]
    encoded = make_password("x")
    assert encoded.startswith("argon2$argon2id$v=19$m=7168,t=5,p=1$")
    assert check_password("x", encoded)
    assert not check_password("y", encoded)
    assert not OwaspArgon2Hasher().verify("x", "argon2$argon2id$damaged")
    assert not OwaspArgon2Hasher().must_update(encoded)


def test_a_better_hash_is_taken_at_sign_in_without_ending_tokens(settings):
    user = UserFactory()
    before = User.objects.get(pk=user.pk).tokens_valid_from
    settings.PASSWORD_HASHERS = ["accounts.hashers.OwaspArgon2Hasher", "django.contrib.auth.hashers.MD5PasswordHasher"]
    assert authenticate(None, name=user.name, password=PASSWORD)
    user = User.objects.get(pk=user.pk)
    assert user.password.startswith("argon2")
    assert user.tokens_valid_from == before


def test_name_domain_and_password_sign_in():
    domain = DomainFactory(name="space")
    home, away = UserFactory(name="ada"), UserFactory(name="ada", domain=domain, password="other")
    assert authenticate(None, username="ada", password=PASSWORD) == home
    assert authenticate(None, name="ada", domain="Default", password=PASSWORD) == home
    assert authenticate(None, name="ada", domain="space", password="other") == away
    assert authenticate(None, name="ada", domain="space", password=PASSWORD) is None
    assert authenticate(None, name="ada", domain="nowhere", password=PASSWORD) is None
    assert authenticate(None, name="a\x00da", password=PASSWORD) is None
    assert authenticate(None, name="ada", password="x" * 100_000) is None


@pytest.mark.parametrize("kind", ["unknown", "disabled", "disabled domain", "wrong password", "no password"])
def test_every_refusal_costs_one_hash(kind, monkeypatch):
    user = UserFactory(name="ada", enabled=kind != "disabled", domain=DomainFactory(enabled=kind != "disabled domain"))
    if kind == "no password":
        user.set_unusable_password()
        user.save()
    check_in_vain("the first one also makes what is checked against")
    counted = []
    hasher = "django.contrib.auth.hashers.MD5PasswordHasher.encode"
    original = __import__("django.contrib.auth.hashers", fromlist=["x"]).MD5PasswordHasher.encode
    monkeypatch.setattr(hasher, lambda self, password, salt: counted.append(1) or original(self, password, salt))
    name = "nobody" if kind == "unknown" else "ada"
    password = "wrong" if kind == "wrong password" else PASSWORD
    assert authenticate(None, name=name, domain=user.domain.name, password=password) is None
    assert len(counted) == 1


def test_nobody_is_beyond_the_rules(personas):
    assert personas.admin.user.is_superuser is False
    assert personas.admin.user.is_staff
    assert not personas.manager.user.is_staff


ROLES = ("reader", "member", "manager", "admin", "stranger", "nobody")


@pytest.mark.parametrize("who", ROLES)
def test_has_perm_is_the_engines_own_answer(personas, who):
    person = getattr(personas, who)
    for rule in registry.with_perm():
        if not rule.perm.startswith("accounts."):
            continue
        for obj in (personas.lab, personas.other, personas.member.user, personas.lab.domain, personas.roles["member"]):
            assert person.user.has_perm(rule.perm, obj) == allowed(person.ctx, rule, obj), (rule.name, obj)
    assert personas.member.user.has_perm("accounts.view_project", personas.lab)
    assert not personas.member.user.has_perm("accounts.view_project", personas.other)


def test_without_an_object_any_project_will_do(personas):
    user = personas.member.user
    assert not user.has_perm("accounts.add_role")
    AssignmentFactory(user=user, role=personas.roles["admin"], project=ProjectFactory(name="zzz"))
    assert user.has_perm("accounts.add_role")
    assert user.has_perms(["accounts.add_role", "accounts.add_user"])
    assert user.has_module_perms("accounts")
    assert "accounts.add_role" in {
        perm
        for backend in [__import__("accounts.backends", fromlist=["x"]).PolicyBackend()]
        for perm in backend.get_all_permissions(user)
    }


def test_strangers_disabled_users_and_unknown_permissions_get_a_no(personas):
    assert not AnonymousUser().has_perm("accounts.view_region")
    assert not personas.admin.user.has_perm("accounts.no_such_thing")
    assert not personas.admin.user.has_perm("rule:no:such")
    user = User.objects.get(pk=personas.admin.user.pk)
    assert user.has_perm(f"rule:{ADMIN_SITE.name}")
    user.enabled = False
    assert not user.has_perm("accounts.view_region")


def test_every_rule_of_identity_with_a_permission_has_its_row():
    for rule in registry.of("identity").values():
        if rule.perm:
            app_label, codename = rule.perm.split(".")
            assert Permission.objects.filter(content_type__app_label=app_label, codename=codename).count() == 1, rule.perm
    names = [rule.perm for rule in registry.with_perm()]
    assert len(names) == len(set(names))


def ask(request):
    """Send a request through the middleware; return it."""
    seen = []
    ContextMiddleware(lambda got: seen.append(got) or HttpResponse())(request)
    return seen[0]


def page(user, **session):
    request = RequestFactory().get("/instances/")
    request.user, request.session = user, session
    return ask(request)


def test_pages_know_the_project_of_the_session(personas, django_assert_num_queries):
    user = personas.member.user
    AssignmentFactory(user=user, role=personas.roles["reader"], project=personas.other)
    request = page(User.objects.select_related("domain").get(pk=user.pk), project_id=personas.other.pk)
    with django_assert_num_queries(3):
        assert request.ctx.project_id == personas.other.pk
    with django_assert_num_queries(0):
        assert request.ctx.roles == {"reader"}
    assert request.user.ctx is request.ctx


@pytest.mark.parametrize("session", [{}, {"project_id": "nowhere"}, {"project_id": None}, {"project_id": 3}])
def test_a_project_that_is_not_held_gives_way_to_the_first(personas, session):
    assert page(personas.member.user, **session).ctx.project_id == personas.lab.pk
    session = {"project_id": personas.other.pk}
    assert page(personas.member.user, **session).ctx.project_id == personas.lab.pk


def test_the_default_project_comes_first(personas):
    user = personas.member.user
    AssignmentFactory(user=user, role=personas.roles["reader"], project=ProjectFactory(name="aaa"))
    assert page(user).ctx.project_name == "aaa"
    user.default_project_id = personas.lab.pk
    assert page(user).ctx.project_name == "lab"


@pytest.mark.usefixtures("tokens_issued")
def test_disabled_projects_are_passed_over(personas):
    personas.lab.enabled = False
    personas.lab.save()
    ctx = page(personas.member.user).ctx
    assert (ctx.project_id, ctx.roles) == (None, frozenset())


def test_nobody_signed_in_is_none_and_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert page(AnonymousUser()).ctx is None
        assert ask(RequestFactory().get("/identity/v3")).ctx is None
        assert ask(RequestFactory().get("/compute/v2.1", headers={"X-Auth-Token": "nonsense"})).ctx is None


def test_apis_take_tokens_and_pages_take_sessions(personas):
    token = {"X-Auth-Token": personas.member.token}
    for path in ("/identity/v3/users", "/image/v2/images", "/compute/v2.1/servers", "/network/v2.0/ports", "/identity"):
        request = RequestFactory().get(path, headers=token)
        request.user, request.session = personas.admin.user, {}
        assert ask(request).ctx.user_id == personas.member.user.pk
        request = RequestFactory().get(path)
        request.user, request.session = personas.admin.user, {}
        assert ask(request).ctx is None
    for path in ("/", "/images/", "/computers/", "/admin/"):
        request = RequestFactory().get(path, headers=token)
        request.user, request.session = AnonymousUser(), {}
        assert ask(request).ctx is None


def test_a_context_that_was_put_there_stays(personas):
    request = RequestFactory().get("/")
    request.ctx = RequestContext(user_id="me")
    assert ask(request).ctx.user_id == "me"


def cookies(client):
    return {
        "headers": [(b"cookie", f"x=1; {next(iter(client.cookies))}={next(iter(client.cookies.values())).value}".encode())]
    }


async def opened(scope):
    seen = {}

    async def inner(scope, receive, send):
        seen.update(scope)

    await SessionContextMiddleware(inner)(scope, None, None)
    return seen


@pytest.mark.django_db(transaction=True)
async def test_websockets_know_who_opened_them(personas):
    client = await sync_to_async(personas.member.sign_in)(Client())
    scope = await opened(cookies(client))
    assert scope["cloud_context"].project_id == personas.lab.pk
    assert (await opened({"headers": []}))["cloud_context"] is None
    assert (await opened({"headers": [(b"cookie", b"a=\xff; b")]}))["cloud_context"] is None
    await sync_to_async(users.set_password)(personas.member.user, "another")
    assert (await opened(cookies(client)))["cloud_context"] is None
    assert await current_context(scope["session_cookie"]) is None


@pytest.mark.parametrize("deed", ["password", "disabled", "role"])
def test_a_session_ends_with_the_right(personas, client, deed):
    personas.admin.sign_in(client)
    assert client.get("/admin/").status_code == 200
    if deed == "password":
        users.set_password(personas.admin.user, "another")
    elif deed == "disabled":
        users.update(ctx=personas.operator.ctx, user=personas.admin.user, enabled=False)
    else:
        Assignment.objects.filter(user=personas.admin.user).delete()
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    ("origin", "host", "let_in"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://LOCALHOST:9000", "localhost:9000", True),
        ("https://cloud.example", "backend:8000", True),
        ("http://cloud.example", "backend:8000", False),
        ("http://127.0.0.1:8001", "127.0.0.1:8000", False),  # another program on this machine, to which cookies go as well
        ("http://evil.example", "127.0.0.1:8000", False),
        ("http://evil.example", "evil.example", False),
        ("http://[", "127.0.0.1:8000", False),
        ("null", "127.0.0.1:8000", False),
        ("", "127.0.0.1:8000", False),
        ("", "", False),
    ],
)
def test_only_pages_of_this_address_open_websockets(settings, origin, host, let_in):
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://cloud.example", ["127.0.0.1", "localhost"]
    assert is_same_origin({"headers": [(b"origin", origin.encode()), (b"host", host.encode())]}) is let_in
    assert not is_same_origin({"headers": []})


async def test_a_program_that_names_no_page_is_a_stranger_whatever_cookies_it_brings():
    inside = []

    async def inner(scope, receive, send):
        inside.append(scope["headers"])

    headers = [(b"host", b"127.0.0.1:8000"), (b"cookie", b"session=stolen")]
    await SameOrigin(inner)({"type": "websocket", "headers": headers}, None, None)
    assert inside == [[(b"host", b"127.0.0.1:8000")]]


def test_login_by_django_keeps_the_session(client, personas):
    request = RequestFactory().get("/")
    request.session = client.session
    user = authenticate(request, name="member", password=PASSWORD)
    login(request, user)
    assert request.session["_auth_user_id"] == personas.member.user.pk


def test_rules_with_targets_never_match_an_absent_domain(personas):
    """``domain_id:%(target.role.domain_id)s`` must not be true because both are None."""
    assert not allowed(personas.reader.ctx, policies.LIST_USERS, {})
    assert not allowed(personas.manager.ctx, policies.GET_GROUP, {})
