from tests.kit.identity import personas  # noqa: F401
