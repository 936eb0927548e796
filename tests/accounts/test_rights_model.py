"""Whatever is given, taken, joined, left, disabled, changed and revoked, in any order: tokens open what a small model says."""

from dataclasses import dataclass, field
from itertools import product

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import Ancestor, Assignment, ImpliedRole, Membership, Project, Role, User
from accounts.services import tokens
from accounts.services.tokens import Scope
from portal.core.errors import Unauthorized
from tests.accounts.factories import GroupFactory, ProjectFactory, UserFactory, default_domain

USERS, GROUPS, PROJECTS, ROLES = 2, 2, 3, 3
IMPLIED = {0: {0, 1}, 1: {1}, 2: {2}}  # the first role implies the second
ABOVE = {0: set(), 1: {0}, 2: set()}  # the second project stands below the first

actors = st.tuples(st.sampled_from(["user", "group"]), st.integers(0, 1))
places = st.one_of(
    st.tuples(st.just("on"), st.integers(0, 2)), st.tuples(st.just("below"), st.integers(0, 2)), st.just(("all", 0))
)
steps = st.one_of(
    st.tuples(st.just("give"), actors, st.integers(0, 2), places),
    st.tuples(st.just("take"), actors, st.integers(0, 2), places),
    st.tuples(st.just("join"), st.integers(0, 1), st.integers(0, 1)),
    st.tuples(st.just("leave"), st.integers(0, 1), st.integers(0, 1)),
    st.tuples(st.sampled_from(["enable user", "disable user", "new password"]), st.integers(0, 1)),
    st.tuples(st.sampled_from(["enable project", "disable project"]), st.integers(0, 2)),
    st.tuples(st.just("issue"), st.integers(0, 1), st.integers(0, 2)),
    st.tuples(st.just("revoke"), st.integers(0, 5)),
)


@dataclass
class Model:
    """What should be true."""

    given: set = field(default_factory=set)
    members: set = field(default_factory=set)
    disabled: set = field(default_factory=set)
    dead: set = field(default_factory=set)

    def roles(self, user: int, project: int) -> set[int]:
        mine = {("user", user), *(("group", group) for one, group in self.members if one == user)}
        found = set()
        for actor, role, (kind, where) in self.given:
            acts = kind == "all" or (kind == "on" and where == project) or (kind == "below" and where in ABOVE[project])
            if actor in mine and acts:
                found |= IMPLIED[role]
        return found

    def opens(self, number: int, user: int, project: int) -> set[int]:
        if number in self.dead or {("user", user), ("project", project)} & self.disabled:
            return set()
        return self.roles(user, project)


class World:
    """The rows, changed as the model is."""

    def __init__(self) -> None:
        self.model = Model()
        self.domain = default_domain()
        self.users = [UserFactory() for _ in range(USERS)]
        self.groups = [GroupFactory() for _ in range(GROUPS)]
        self.projects = [ProjectFactory() for _ in range(PROJECTS)]
        Project.objects.filter(pk=self.projects[1].pk).update(parent=self.projects[0])
        Ancestor.objects.create(project=self.projects[1], above=self.projects[0], distance=1)
        self.roles = [Role.objects.create(name=f"role-{number}") for number in range(ROLES)]
        ImpliedRole.objects.create(prior=self.roles[0], implied=self.roles[1])
        self.tokens: list[tuple[str, int, int]] = []

    def columns(self, actor: tuple[str, int], role: int, place: tuple[str, int]) -> dict:
        kind, where = place
        return {
            "user": self.users[actor[1]] if actor[0] == "user" else None,
            "group": self.groups[actor[1]] if actor[0] == "group" else None,
            "role": self.roles[role],
            "project": None if kind == "all" else self.projects[where],
            "domain": self.domain if kind == "all" else None,
            "inherited": kind != "on",
        }

    def give(self, *what) -> None:
        self.model.given.add(what)
        Assignment.objects.get_or_create(**self.columns(*what))

    def take(self, *what) -> None:
        self.model.given.discard(what)
        Assignment.objects.filter(**self.columns(*what)).delete()

    def join(self, user: int, group: int) -> None:
        self.model.members.add((user, group))
        Membership.objects.get_or_create(user=self.users[user], group=self.groups[group])

    def leave(self, user: int, group: int) -> None:
        self.model.members.discard((user, group))
        Membership.objects.filter(user=self.users[user], group=self.groups[group]).delete()

    def switch(self, kind: str, number: int, enabled: bool) -> None:
        row = self.users[number] if kind == "user" else self.projects[number]
        type(row).objects.filter(pk=row.pk).update(enabled=enabled)
        (self.model.disabled.discard if enabled else self.model.disabled.add)((kind, number))

    def new_password(self, user: int) -> None:
        User.objects.filter(pk=self.users[user].pk).update(tokens_valid_from=timezone.now())
        self.model.dead |= {number for number, (_token, owner, _project) in enumerate(self.tokens) if owner == user}

    def issue(self, user: int, project: int) -> None:
        wanted = self.model.opens(-1, user, project)
        row, place = User.objects.get(pk=self.users[user].pk), Project.objects.get(pk=self.projects[project].pk)
        if not wanted:
            with pytest.raises(Unauthorized):
                tokens.issue(user=row, methods=["password"], scope=Scope(project=place))
            return
        token, _grant = tokens.issue(user=row, methods=["password"], scope=Scope(project=place))
        self.tokens.append((token, user, project))

    def revoke(self, number: int) -> None:
        if number < len(self.tokens):
            try:
                tokens.revoke(tokens.validate(self.tokens[number][0]))
            except Unauthorized:  # one that is not good now cannot be shown for revoking
                return
            self.model.dead.add(number)

    def check(self) -> None:
        for number, (token, user, project) in enumerate(self.tokens):
            try:
                opened = {self.roles.index(role) for role in tokens.validate(token).roles}
            except Unauthorized:
                opened = set()
            assert opened == self.model.opens(number, user, project), (number, user, project)


def play(steps: list[tuple]) -> None:
    world = World()
    for verb, *what in [*steps, *(("issue", *pair) for pair in product(range(USERS), range(PROJECTS)))]:
        kind = verb.split()
        if kind[0] in ("enable", "disable"):
            world.switch(kind[1], what[0], kind[0] == "enable")
        else:
            getattr(world, verb.replace(" ", "_"))(*what)
        world.check()


class AnyOrder(TestCase):
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(steps, max_size=14))
    def test_tokens_open_what_the_model_says(self, steps):
        play(steps)


@pytest.mark.django_db
def test_the_model_can_tell_a_difference(monkeypatch):
    """A right that is held back is noticed, so the test above is worth something."""
    monkeypatch.setattr(Model, "roles", lambda self, user, project: set())
    with pytest.raises(pytest.fail.Exception):
        play([("give", ("user", 0), 0, ("on", 0)), ("issue", 0, 0)])
