"""People of the tests: one per role in one project, a stranger from another one, each with a context and a token.

Use it by ``from tests.kit.identity import personas  # noqa: F401``, then ask for the fixture.
"""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from accounts.models import Project, User
from accounts.services import tokens
from accounts.services.tokens import Scope
from portal.core.context import RequestContext
from tests.accounts.factories import AssignmentFactory, ProjectFactory, UserFactory, ladder
from tests.kit.secrecy import remember, remember_answer, remember_in


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
    """Somebody with a role in a project."""

    user: User
    project: Project | None
    token: str
    ctx: RequestContext

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
    token, grant = tokens.issue(user=user, methods=["password"], scope=Scope(**scope))
    remember(token)
    user.ctx = grant.context()
    return Persona(user, scope.get("project"), token, user.ctx)


@pytest.fixture
def personas(db: Any) -> SimpleNamespace:
    """Return reader, member, manager and admin of project ``lab``, ``stranger`` (member of ``other``), ``nobody`` (no scope),
    ``service`` (the role service), ``operator`` (admin on the system)."""
    roles = ladder()
    lab, other = ProjectFactory(name="lab"), ProjectFactory(name="other")
    people: dict[str, Persona] = {}
    for name, project in (
        ("reader", lab),
        ("member", lab),
        ("manager", lab),
        ("admin", lab),
        ("service", lab),
        ("stranger", other),
    ):
        user = UserFactory(name=name)
        AssignmentFactory(user=user, role=roles["member" if name == "stranger" else name], project=project)
        people[name] = persona(user, project=project)
    operator = UserFactory(name="operator")
    AssignmentFactory(user=operator, role=roles["admin"])
    return SimpleNamespace(
        **people,
        operator=persona(operator, system=True),
        nobody=persona(UserFactory(name="nobody")),
        lab=lab,
        other=other,
        roles=roles,
    )
