"""Which requests an access rule covers."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import access


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("/v2.1/servers", "/v2.1/servers", True),
        ("/v2.1/servers", "/v2.1/servers/", False),
        ("/v2.1/servers", "/v2.1/servers/1", False),
        ("/v2.1/servers", "/v2x1/servers", False),
        ("/v2.1/servers/*", "/v2.1/servers/1", True),
        ("/v2.1/servers/*", "/v2.1/servers/", False),
        ("/v2.1/servers/*", "/v2.1/servers/1/ips", False),
        ("/v2.1/servers/*/ips", "/v2.1/servers/1/ips", True),
        ("/v2.1/servers/{server_id}/ips", "/v2.1/servers/1/ips", True),
        ("/v2.1/servers/{server_id}/ips", "/v2.1/servers/1/2/ips", False),
        ("/v2.1/servers/**", "/v2.1/servers/1/ips/2", True),
        ("/v2.1/servers**", "/v2.1/servers", True),
        ("/**/ips", "/v2.1/servers/1/ips", True),
        ("/**", "/", True),
        ("/a{b", "/a{b", True),
    ],
)
def test_paths(pattern, path, covered):
    assert access.matches(pattern, path) is covered


def test_service_and_method_must_be_the_rules_own():
    rules = [("compute", "GET", "/v2.1/servers")]
    assert access.permits(rules, "GET", "/compute/v2.1/servers")
    assert not access.permits(rules, "HEAD", "/compute/v2.1/servers")
    assert not access.permits(rules, "GET", "/image/v2.1/servers")
    assert not access.permits(rules, "GET", "/v2.1/servers")
    assert not access.permits([], "GET", "/compute/v2.1/servers")


def as_expression(pattern):
    """Return the regular expression that says the same."""
    words = {"**": ".*", "*": "[^/]+", "{n}": "[^/]+"}
    return "".join(words.get(part, re.escape(part)) for part in re.findall(r"\*\*|\*|\{n\}|.", pattern))


@given(
    st.lists(st.sampled_from(["/", "a", "b", "*", "**", "{n}"]), max_size=6).map("".join),
    st.text(alphabet="/ab", max_size=8),
)
def test_every_pattern_means_what_the_expression_means(pattern, path):
    assert access.matches(pattern, path) == bool(re.fullmatch(as_expression(pattern), path))


def test_no_pattern_takes_long():
    started = time.perf_counter()
    assert not access.matches("**a" * 42, "/" + "a" * 4000 + "b")
    assert not access.matches("/**", "/" * 1_000_000)
    assert time.perf_counter() - started < 3
