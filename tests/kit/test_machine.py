"""Who may be in the room of the machine's guests at the same time."""

import threading
from types import SimpleNamespace

import pytest

from tests.kit import machine


@pytest.fixture
def enter(monkeypatch, tmp_path):
    """Return a function that starts a test with guests, and ends it when its event is set."""
    for name in ("_DOOR", "_ROOM"):
        monkeypatch.setattr(machine, name, tmp_path / name)
    started = []

    def enter(**words):
        inside, done = threading.Event(), threading.Event()
        item = SimpleNamespace(get_closest_marker=lambda _name: SimpleNamespace(kwargs=words))

        def run():
            steps = machine.pytest_runtest_protocol(item)
            next(steps)
            inside.set()
            done.wait(10)
            steps.close()

        started.append((threading.Thread(target=run, daemon=True), done))
        started[-1][0].start()
        return inside, done

    yield enter
    for thread, done in started:
        done.set()
        thread.join(5)


def test_those_with_guests_share_the_machine_and_one_that_wants_it_alone_is_not_overtaken(enter):
    first, first_ends = enter()
    second, second_ends = enter()
    assert first.wait(5)
    assert second.wait(5)
    alone, alone_ends = enter(alone=True)
    assert not alone.wait(0.2)
    late, _late_ends = enter()
    first_ends.set()
    assert not alone.wait(0.2)
    second_ends.set()
    assert alone.wait(5)
    assert not late.wait(0.2)
    alone_ends.set()
    assert late.wait(5)


def test_files_that_want_the_machine_alone_begin_then_those_that_take_longest_then_those_without_guests():
    def item(path, *words):
        marks = [pytest.mark.hypervisor(**word).mark for word in words]
        return SimpleNamespace(path=path, iter_markers=lambda _name: iter(marks))

    items = [
        item("guests", {}),
        item("none"),
        item("long"),
        item("long", {"first": True}),
        item("alone", {}),
        item("alone", {"alone": True}),
    ]
    machine.pytest_collection_modifyitems(items)
    assert [item.path for item in items] == ["alone", "alone", "long", "long", "none", "guests"]
