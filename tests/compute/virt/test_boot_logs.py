"""What is kept of earlier boots."""

from compute.virt import boot_logs
from compute.virt.boot_logs import KEPT_BOOTS, KEPT_BYTES, kept


def test_the_last_boots_are_kept_and_older_ones_go(tmp_path):
    for boot in range(KEPT_BOOTS + 3):
        (tmp_path / "console.log").write_text(f"boot {boot}")
        boot_logs.keep(tmp_path)

    assert not (tmp_path / "console.log").exists()
    assert [kept(tmp_path, number).read_text() for number in (1, KEPT_BOOTS)] == ["boot 7", "boot 3"]
    assert len(list(tmp_path.iterdir())) == KEPT_BOOTS
    assert list(boot_logs.earlier(tmp_path)) == list(range(1, KEPT_BOOTS + 1))


def test_a_guest_that_never_printed_leaves_no_log(tmp_path):
    boot_logs.keep(tmp_path)
    (tmp_path / "console.log").write_text("")
    boot_logs.keep(tmp_path)

    assert boot_logs.earlier(tmp_path) == {}


def test_parts_that_were_rotated_become_one_log_that_is_bounded(tmp_path):
    (tmp_path / "console.log.1").write_bytes(b"1" * KEPT_BYTES)
    (tmp_path / "console.log.0").write_bytes(b"2" * (KEPT_BYTES - 10))
    (tmp_path / "console.log").write_bytes(b"last")
    boot_logs.keep(tmp_path)

    assert kept(tmp_path, 1).read_bytes() == b"1" * 6 + b"2" * (KEPT_BYTES - 10) + b"last"
    assert len(list(tmp_path.iterdir())) == 1
    assert kept(tmp_path, 1).stat().st_mode & 0o077 == 0


def test_a_question_is_answered_from_the_folder_alone(tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "console.log").write_text("one")
    boot_logs.keep(tmp_path)

    assert boot_logs.told(tmp_path, "boots") == f"1 {int(kept(tmp_path, 1).stat().st_mtime)}\n".encode()
    assert boot_logs.told(tmp_path, "boot-1") == b"one"
    for question in ("boot-2", "boot-0", "boot-01", "boot-../secret", "boot-1/../secret", "boot-", "boot--1"):
        assert boot_logs.told(tmp_path, question) == b""
