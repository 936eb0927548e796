"""The test files that run on every database: they ask it for constraints, locks, case, pages or migrations."""

from pathlib import Path

_TESTS = Path(__file__).parents[1]
_NAMES = {
    "accounts": ("resources_api", "roles_api", "groups_api", "project_tree", "tokens", "quotas", "seed"),
    "images": ("listing", "narrowing"),
    "images/metadefs": ("namespaces", "parts", "seeding"),
    "compute/api": ("aggregates", "servers"),
    "compute/network": ("ports",),
    "compute/services": ("conditional_begin", "lifecycle", "parallel", "placement", "reports", "sweeps", "visibility"),
    "core": ("databases", "migrate"),
}
FILES = [_TESTS / folder / f"test_{name}.py" for folder, names in _NAMES.items() for name in names]
