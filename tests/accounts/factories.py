"""Rows of identity for tests, and contexts without any rows."""

from itertools import pairwise

import factory
from factory.django import DjangoModelFactory

from accounts.models import (
    DEFAULT_DOMAIN_ID,
    Assignment,
    CatalogService,
    Domain,
    Endpoint,
    Group,
    ImpliedRole,
    Project,
    Region,
    RegisteredLimit,
    Role,
    User,
)
from accounts.models.domain import new_id
from portal.core.context import RequestContext
from tests.kit.secrecy import remember

PASSWORD = "correct horse battery staple"
LADDER = ("admin", "manager", "member", "reader")


class DomainFactory(DjangoModelFactory):
    class Meta:
        model = Domain

    id = factory.LazyFunction(new_id)
    name = factory.Sequence(lambda n: f"domain-{n}")


def default_domain():
    return Domain.objects.get_or_create(pk=DEFAULT_DOMAIN_ID, defaults={"name": "Default"})[0]


class ProjectFactory(DjangoModelFactory):
    class Meta:
        model = Project

    name = factory.Sequence(lambda n: f"project-{n}")
    domain = factory.LazyFunction(default_domain)


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"user-{n}")
    domain = factory.LazyFunction(default_domain)

    @classmethod
    def _create(cls, model_class, *args, password=PASSWORD, **kwargs):
        user = model_class(*args, **kwargs)
        user.set_password(remember(password))
        user.save(force_insert=True)
        return user


class RoleFactory(DjangoModelFactory):
    class Meta:
        model = Role
        django_get_or_create = ("domain", "name")

    name = "member"
    domain = None


class GroupFactory(DjangoModelFactory):
    class Meta:
        model = Group

    name = factory.Sequence(lambda n: f"group-{n}")
    domain = factory.LazyFunction(default_domain)


class AssignmentFactory(DjangoModelFactory):
    """``AssignmentFactory(user=…, role__name="member", project=…)``; with ``domain=`` or neither for the other targets."""

    class Meta:
        model = Assignment

    user = factory.SubFactory(UserFactory)
    role = factory.SubFactory(RoleFactory)
    project = None
    domain = None
    system = factory.LazyAttribute(lambda row: None if row.project or row.domain else True)


class RegionFactory(DjangoModelFactory):
    class Meta:
        model = Region
        django_get_or_create = ("id",)

    id = "RegionOne"


class ServiceFactory(DjangoModelFactory):
    class Meta:
        model = CatalogService

    type = "compute"
    name = "nova"


class RegisteredLimitFactory(DjangoModelFactory):
    class Meta:
        model = RegisteredLimit

    service = factory.SubFactory(ServiceFactory)
    resource_name = "class:VCPU"
    default_limit = 20


class EndpointFactory(DjangoModelFactory):
    class Meta:
        model = Endpoint

    service = factory.SubFactory(ServiceFactory)
    region = factory.SubFactory(RegionFactory)
    interface = "public"
    url = "http://cloud.test/compute/v2.1"


def ladder():
    """Make the usual roles and their implications; return them by name."""
    names = (*LADDER, "service")
    found = {role.name: role for role in Role.objects.filter(domain=None, name__in=names)}
    missing = Role.objects.bulk_create([Role(name=name) for name in names if name not in found])
    roles = found | {role.name: role for role in missing}
    known = set(ImpliedRole.objects.values_list("prior", "implied")) if found else set()
    steps = [(roles[prior], roles[implied]) for prior, implied in pairwise(LADDER)]
    ImpliedRole.objects.bulk_create(
        [ImpliedRole(prior=prior, implied=implied) for prior, implied in steps if (prior.pk, implied.pk) not in known]
    )
    return roles


def make_ctx(role="member", project=None, user=None, **changes):
    """Return a context without touching the database; rows may be given for its user and project."""
    held = frozenset(LADDER[LADDER.index(role) :]) if role in LADDER else frozenset({role} - {None})
    values = {
        "user_id": user.pk if user else new_id(),
        "user_name": user.name if user else "somebody",
        "user_domain_id": user.domain_id if user else DEFAULT_DOMAIN_ID,
        "project_id": project.pk if project else new_id(),
        "project_name": project.name if project else "lab",
        "project_domain_id": project.domain_id if project else DEFAULT_DOMAIN_ID,
        "roles": held,
    }
    return RequestContext(**{**values, **changes})
