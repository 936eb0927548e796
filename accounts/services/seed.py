"""The first contents: what a fresh cloud needs before anybody can sign in. Run it as often as you like."""

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from accounts.models import (
    DEFAULT_DOMAIN_ID,
    Assignment,
    CatalogService,
    Domain,
    Endpoint,
    ImpliedRole,
    Project,
    Region,
    Role,
    User,
)
from accounts.models.catalog import Interface
from accounts.services import users

ROLES = ("admin", "manager", "member", "reader", "service")
IMPLIED = (("admin", "manager"), ("manager", "member"), ("member", "reader"))


@dataclass(frozen=True)
class Listed:
    """One service of the catalog and where it answers behind the public address."""

    type: str
    name: str
    path: str
    description: str


SERVICES = (
    Listed("identity", "keystone", "/identity/v3", "Identity"),
    Listed("image", "glance", "/image", "Images"),
    Listed("compute", "nova", "/compute/v2.1", "Servers"),
    Listed("network", "neutron", "/network", "Networks"),
)


@transaction.atomic
def seed(admin_password: str, demo_password: str) -> None:
    """Make what is missing and mend what differs: roles, two projects with a user each, and the catalog's addresses."""
    domain, _made = Domain.objects.get_or_create(
        pk=DEFAULT_DOMAIN_ID, defaults={"name": "Default", "description": "The default domain"}
    )
    roles = _roles()
    projects = {name: Project.objects.get_or_create(domain=domain, name=name)[0] for name in ("admin", "demo")}
    admin = _user(domain, "admin", admin_password)
    demo = _user(domain, "demo", demo_password)
    for user, role, project in (
        (admin, "admin", "admin"),
        (admin, "admin", "demo"),
        (demo, "member", "demo"),
    ):
        Assignment.objects.get_or_create(user=user, role=roles[role], project=projects[project], inherited=False)
    Assignment.objects.get_or_create(user=admin, role=roles["admin"], system=True)
    _catalog(settings.PUBLIC_URL)


def _roles() -> dict[str, Role]:
    roles = {
        name: Role.objects.get_or_create(domain=None, name=name, defaults={"options": {"immutable": True}})[0]
        for name in ROLES
    }
    for prior, implied in IMPLIED:
        ImpliedRole.objects.get_or_create(prior=roles[prior], implied=roles[implied])
    return roles


def _user(domain: Domain, name: str, password: str) -> User:
    user = User.objects.filter(domain=domain, name=name).first()
    if user is None:
        user = User(domain=domain, name=name)
        user.set_password(password)
        user.save(force_insert=True)
    else:
        users.set_password(user, password)
    return user


def _catalog(public_url: str) -> None:
    region, _made = Region.objects.get_or_create(pk=settings.REGION)
    for listed in SERVICES:
        service = CatalogService.objects.filter(type=listed.type, name=listed.name).order_by("pk").first()
        if service is None:
            service = CatalogService.objects.create(type=listed.type, name=listed.name, description=listed.description)
        for interface in Interface.values:
            _endpoint(service, region, interface, public_url + listed.path)


def _endpoint(service: CatalogService, region: Region, interface: str, url: str) -> None:
    endpoint = Endpoint.objects.filter(service=service, region=region, interface=interface).order_by("pk").first()
    if endpoint is None:
        Endpoint.objects.create(service=service, region=region, interface=interface, url=url)
    elif endpoint.url != url:
        endpoint.url = url
        endpoint.save(update_fields=["url"])
