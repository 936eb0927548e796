"""Reading what apt says, and keeping downloads."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from images.builder import __main__, packages, recipe, tools
from images.builder.errors import BuildError

KERNEL = """linux-image-cloud-amd64
  Depends: linux-image-6.1.0-56-cloud-amd64
linux-image-6.1.0-56-cloud-amd64
  Depends: kmod
 |Depends: initramfs-tools
  Depends: <linux-initramfs-tool>
    dracut
  Suggests: debian-kernel-handbook
  Breaks: fwupdate
"""
URIS = """'http://mirror.example/a%2bb.deb' tool_1%3a1.0+b1_amd64.deb 5 SHA256:{digest}
W: something apt wants to say
"""


def test_depends_of_several_packages() -> None:
    assert packages.parse_depends(KERNEL) == {
        "linux-image-cloud-amd64": ["linux-image-6.1.0-56-cloud-amd64"],
        "linux-image-6.1.0-56-cloud-amd64": ["kmod", "initramfs-tools"],
    }


def test_of_alternatives_the_first_real_package() -> None:
    output = "p\n |Depends: <virtual>\n    provider\n |Depends: first\n  Depends: second\n  PreDepends: libc6:amd64\n"
    assert packages.parse_depends(output) == {"p": ["first", "libc6"]}


def test_closure_asks_once_per_level_and_leaves_out_what_is_not_followed() -> None:
    graph = {
        "linux-image-cloud": ["linux-image-6"],
        "linux-image-6": ["kmod", "linux-modules-6"],
        "ssh": ["libc"],
        "libc": ["ssh"],
    }
    asked: list[Sequence[str]] = []

    def read(names: Sequence[str]) -> dict[str, list[str]]:
        asked.append(names)
        return {name: graph.get(name, []) for name in names}

    found = packages.closure(["linux-image-cloud", "ssh"], follow=recipe.is_followed, read=read)
    assert found == ["linux-image-cloud", "ssh", "linux-image-6", "libc", "linux-modules-6"]
    assert asked == [["linux-image-cloud", "ssh"], ["linux-image-6", "libc"], ["linux-modules-6"]]


def test_uris_give_name_version_size_and_hash() -> None:
    (package,) = packages.parse_uris(URIS.format(digest="ab" * 32))
    assert (package.name, package.version, package.size, package.sha256) == ("tool", "1:1.0+b1", 5, "ab" * 32)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str | Path]]:
    """apt-get that knows one package, whose file holds `right`; the calls that downloaded."""
    downloads: list[Sequence[str | Path]] = []

    def run(command: Sequence[str | Path], *, cwd: Path | None = None) -> str:
        if "--print-uris" in command:
            return URIS.format(digest=hashlib.sha256(b"right").hexdigest())
        downloads.append(command)
        assert cwd is not None
        (cwd / "tool_1%3a1.0+b1_amd64.deb").write_bytes(b"right")
        return ""

    monkeypatch.setattr(tools, "run", run)
    monkeypatch.setattr(tools, "find", lambda program, *, package: program)
    return downloads


def test_a_second_fetch_downloads_nothing(tmp_path: Path, mirror: list[Sequence[str | Path]]) -> None:
    packages.fetch(["tool"], tmp_path)
    packages.fetch(["tool"], tmp_path)
    assert len(mirror) == 1


def test_a_changed_file_in_the_cache_is_fetched_again(tmp_path: Path, mirror: list[Sequence[str | Path]]) -> None:
    (tmp_path / "tool_1%3a1.0+b1_amd64.deb").write_bytes(b"wrong")
    packages.fetch(["tool"], tmp_path)
    assert len(mirror) == 1
    assert (tmp_path / "tool_1%3a1.0+b1_amd64.deb").read_bytes() == b"right"


def test_a_package_without_address_is_an_error(tmp_path: Path, mirror: list[Sequence[str | Path]]) -> None:
    with pytest.raises(BuildError, match="for other: run `apt-get update`"):
        packages.fetch(["tool", "other"], tmp_path)


def test_without_a_mirror_one_sentence_and_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(command: Sequence[str | Path]) -> str:
        raise BuildError("apt-cache failed: No packages found")

    monkeypatch.setattr(tools, "run", run)
    monkeypatch.setattr(tools, "find", lambda program, *, package: program)
    assert __main__.main(["--output", str(tmp_path / "out")]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("tiny was not built: apt knows none of linux-image-cloud-amd64")


def test_what_a_build_that_was_killed_left_is_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: Sequence[str | Path]) -> str:
        raise BuildError("apt-cache failed: No packages found")

    monkeypatch.setattr(tools, "run", run)
    monkeypatch.setattr(tools, "find", lambda program, *, package: program)
    (tmp_path / "work" / "tiny-build-killed" / "unpacked").mkdir(parents=True)
    assert __main__.main(["--output", str(tmp_path / "out"), "--work", str(tmp_path / "work")]) == 2
    assert not list((tmp_path / "work").iterdir())
