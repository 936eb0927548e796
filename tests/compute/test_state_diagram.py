"""The page about server states says what the table says."""

from pathlib import Path

from compute.state_diagram import page
from compute.states import SIGNALS, TRANSITIONS

PAGE = Path(__file__).parents[2] / "docs" / "developer" / "server-states.md"


def test_the_page_follows_from_the_table():
    assert page() in PAGE.read_text(), "run ./nebulet manage server_states and put what it prints into the page"


def test_every_action_has_its_line():
    for action in (*TRANSITIONS, *SIGNALS):
        assert f"| `{action}` |" in page()
