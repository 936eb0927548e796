from tests.kit.identity import personas, tokens_issued  # noqa: F401
