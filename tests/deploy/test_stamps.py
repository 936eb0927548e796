"""What counts as done already."""

from deploy.launcher import stamps
from deploy.launcher.stamps import Stamp, digest
from deploy.launcher.state import Owner


def test_a_digest_follows_content_names_and_words(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")
    first = digest([one, two], "word")

    assert digest([two, one], "word") == first
    assert digest([one, two], "other") != first
    assert digest([one], "word") != first
    two.write_text("3")
    assert digest([one, two], "word") != first


def test_a_missing_file_is_not_an_empty_one(tmp_path):
    file = tmp_path / "file"
    missing = digest([file])
    file.touch()

    assert digest([file]) != missing


def test_a_stamp_matches_only_the_last_success(tmp_path):
    stamp = Stamp(tmp_path / "stamps" / "step")

    assert not stamp.matches("a")
    stamp.write("a")
    assert stamp.matches("a")
    assert not stamp.matches("b")


def test_a_stamp_belongs_to_the_owner_of_its_folder(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(stamps, "write_whole", lambda path, text, *, owner: given.append(owner))
    monkeypatch.setattr(stamps.os, "geteuid", lambda: 0)

    Stamp(tmp_path / "step").write("a")

    assert given == [Owner(tmp_path.stat().st_uid, tmp_path.stat().st_gid)]
