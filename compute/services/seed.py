"""The flavors that are there at first start."""

from django.db import transaction

from compute.models import Flavor

# id, name, memory in MB, root disk in GB, vCPUs
FLAVORS = (
    ("1", "m1.tiny", 512, 1, 1),
    ("2", "m1.small", 2048, 20, 1),
    ("3", "m1.medium", 4096, 40, 2),
    ("4", "m1.large", 8192, 80, 4),
    ("5", "m1.xlarge", 16384, 160, 8),
    ("42", "m1.nano", 64, 0, 1),
    ("84", "m1.micro", 128, 0, 1),
    ("c1", "cirros256", 256, 0, 1),
    ("d1", "ds512M", 512, 5, 1),
    ("d2", "ds1G", 1024, 10, 1),
    ("d3", "ds2G", 2048, 10, 2),
    ("d4", "ds4G", 4096, 20, 4),
)


@transaction.atomic
def seed() -> list[Flavor]:
    """Return the flavors made now: all twelve at first start, none once an operator has changed the list."""
    if Flavor.objects.exists():
        return []
    return Flavor.objects.bulk_create(
        Flavor(flavor_id=flavor_id, name=name, ram_mb=ram_mb, root_gb=root_gb, vcpus=vcpus)
        for flavor_id, name, ram_mb, root_gb, vcpus in FLAVORS
    )
