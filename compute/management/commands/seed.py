"""``manage.py seed``: what a fresh cloud needs. Run it as often as you like."""

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.models import Project
from accounts.services import keys, quotas
from accounts.services import seed as accounts_seed
from compute.network.services import seed as network_seed
from compute.services import seed as compute_seed
from images.services.metadefs import seeding as metadefs_seed
from portal.core.context import RequestContext, new_request_id
from portal.core.files import write_private


class Command(BaseCommand):
    help = "Make roles, users, projects, catalog, flavors, metadata definitions and the first network, as far as they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        keys.TOKENS.ensure()
        keys.CREDENTIALS.ensure()
        accounts_seed.seed(password_of("admin", settings.ADMIN_PASSWORD), password_of("demo", None))
        self.stdout.write("identity: roles, projects admin and demo, users admin and demo, catalog")
        quotas.register_all()
        flavors = compute_seed.seed()
        self.stdout.write(f"flavors: {', '.join(flavor.name for flavor in flavors) or 'nothing to do'}")
        owner = Project.objects.get(name="admin", domain_id="default")
        ctx = RequestContext.for_conductor(new_request_id())
        defined = metadefs_seed.seed(ctx=ctx, owner=owner.pk, wanted=metadefs_seed.shipped())
        self.stdout.write(f"metadata definitions: {', '.join(defined) or 'nothing to do'}")
        network = network_seed.seed(owner.pk)
        self.stdout.write(f"network: {network.name} {', '.join(subnet.cidr for subnet in network.subnets.all())}")


def password_of(user: str, wanted: str | None) -> str:
    """Return a first user's password: the one wanted, else the one in the secrets folder, made there once."""
    path = Path(settings.STATE_DIR) / "secrets" / f"{user}-password"
    if wanted is None and path.exists():
        return path.read_text().strip()
    password = wanted or secrets.token_urlsafe(12)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, f"{password}\n".encode())
    return password
