"""People of the tests: one per role in one project, a stranger from another one, each with a context and a token.

Use it by ``from tests.kit.identity import personas  # noqa: F401``, then ask for the fixture.
"""

from dataclasses import dataclass, field
from functools import cache, cached_property
from inspect import iscoroutinefunction
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from accounts.models import Assignment, Project, User
from accounts.services import tokens
from accounts.services.tokens import Scope
from portal.core.context import RequestContext
from tests.accounts.factories import PASSWORD, default_domain, ladder
from tests.kit.secrecy import remember, remember_answer, remember_in

_IN_LAB = ("reader", "member", "manager", "admin", "service")


class Api:
    """A JSON client that sends one token."""

    def __init__(self, token: str | None = None) -> None:
        self.token = token
        self.client = Client(raise_request_exception=False)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            sent.setdefault("X-Auth-Token", self.token)
        extra = {} if body is None else {"data": body, "content_type": "application/json"}
        if body is None and method == "post":  # Django's client would send an empty form
            extra = {"data": b"", "content_type": "application/json"}
        for name, value in sent.items():
            if name.lower().endswith("-token"):
                remember(value)
        remember_in(body)
        answer = getattr(self.client, method)(path, headers=sent, **extra)
        remember_answer(answer)
        return answer

    def get(self, path: str, **headers: str) -> Any:
        return self("get", path, **headers)

    def head(self, path: str, **headers: str) -> Any:
        return self("head", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self("post", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self("patch", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("put", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self("delete", path, **headers)


@dataclass
class Persona:
    """Somebody with a role in a project; his token is issued when it is first needed."""

    known: User
    scope: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def _issued(self) -> tuple[str, RequestContext]:
        token, grant = tokens.issue(user=self.known, methods=["password"], scope=Scope(**self.scope))
        remember(token)
        self.known.ctx = grant.context()
        return token, self.known.ctx

    @property
    def project(self) -> Project | None:
        return self.scope.get("project")

    @property
    def token(self) -> str:
        return self._issued[0]

    @property
    def ctx(self) -> RequestContext:
        return self._issued[1]

    @property
    def user(self) -> User:
        """The user, as one that has signed in."""
        assert self.ctx
        return self.known

    @property
    def api(self) -> Api:
        return Api(self.token)

    def sign_in(self, client: Client) -> Client:
        """Let a browser be this person's, in this project."""
        client.force_login(self.user, backend="accounts.backends.PasswordBackend")
        session = client.session
        session["project_id"] = self.project.pk if self.project else None
        session.save()
        remember(session.session_key)
        return client


def persona(user: User, **scope: Any) -> Persona:
    """Return somebody with a fresh token for a scope he holds."""
    found = Persona(user, scope)
    assert found.token
    return found


@pytest.fixture
def personas(db: Any, request: pytest.FixtureRequest) -> SimpleNamespace:
    """Return reader, member, manager and admin of project ``lab``, ``stranger`` (member of ``other``), ``nobody`` (no scope),
    ``service`` (the role service), ``operator`` (admin on the system)."""
    roles, domain = ladder(), default_domain()
    lab, other = Project.objects.bulk_create([Project(name=name, domain=domain) for name in ("lab", "other")])
    names = (*_IN_LAB, "stranger", "operator", "nobody")
    password = _encoded(remember(PASSWORD))
    made = User.objects.bulk_create([User(name=name, domain=domain, password=password) for name in names])
    users = {user.name: user for user in made}
    in_lab = [Assignment(user=users[name], role=roles[name], project=lab) for name in _IN_LAB]
    stranger = Assignment(user=users["stranger"], role=roles["member"], project=other)
    operator = Assignment(user=users["operator"], role=roles["admin"], system=True)
    Assignment.objects.bulk_create([*in_lab, stranger, operator])
    scopes: dict[str, dict[str, Any]] = {name: {"project": lab} for name in _IN_LAB}
    scopes |= {"stranger": {"project": other}, "operator": {"system": True}}
    people = {name: Persona(user, scopes.get(name, {})) for name, user in users.items()}
    found = SimpleNamespace(**people, lab=lab, other=other, roles=roles)
    if iscoroutinefunction(request.function):  # within it nothing asks the database
        _issue(found)
    return found


@pytest.fixture
def tokens_issued(personas: SimpleNamespace) -> None:
    """Have every one of them hold a token already: for tests of what ends tokens, and of numbers of queries."""
    _issue(personas)


def _issue(personas: SimpleNamespace) -> None:
    for found in vars(personas).values():
        if isinstance(found, Persona):
            assert found.token


@cache
def _encoded(password: str) -> str:
    return make_password(password)
