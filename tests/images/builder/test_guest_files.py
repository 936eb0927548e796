"""The guest's own scripts: they parse, and they read a config drive's metadata as Python writes it."""

import json
import subprocess
from pathlib import Path

import pytest

from images.builder.rootfs import GUEST_FILES

SCRIPTS = sorted(path for path in GUEST_FILES.rglob("*") if path.is_file() and path.read_bytes().startswith(b"#!/bin/sh"))


def flatten(document: object, **options: bool) -> list[str]:
    text = json.dumps(document, **options)  # type: ignore[arg-type]
    command = ["awk", "-f", str(GUEST_FILES / "etc/json.awk")]
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    )
    return done.stdout.splitlines()


def test_there_are_scripts() -> None:
    assert {"boot", "user-data", "ssh", "stop", "udhcpc.sh", "agent", "sudo", "curl", "lsblk", "00000080"} <= {
        path.name for path in SCRIPTS
    }


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_script_parses(script: Path) -> None:
    subprocess.run(["sh", "-n", str(script)], check=True)


def test_metadata_is_flattened() -> None:
    document = {"hostname": "vm-1.example", "public_keys": {"my key": "ssh-ed25519 AAAA+/= me@home\n"}, "launch_index": 0}
    assert flatten(document) == [
        "/hostname\tvm-1.example",
        "/public_keys/my key\tssh-ed25519 AAAA+/= me@home",
        "/launch_index\t0",
    ]


def test_members_after_folded_ones_keep_their_place() -> None:
    document = {"a": {"b": {}, "c": [1, {"d": True}, []]}, "e": None, "f": [["x"], "y"]}
    assert flatten(document) == ["/a/c/0\t1", "/a/c/1/d\ttrue", "/e\tnull", "/f/0/0\tx", "/f/1\ty"]


def test_a_name_cannot_pass_for_a_path() -> None:
    assert flatten({"meta": {"x/../public_keys/evil\n/public_keys/a\t": "ssh-rsa BAD"}}) == [
        "/meta/x .. public_keys evil  public_keys a \tssh-rsa BAD"
    ]


def test_quotes_braces_and_letters_in_values() -> None:
    value = 'a "quoted" {brace}, [x]: \\ / é € \t.'
    assert flatten({"v": value, "w": 1}) == [f"/v\t{value}", "/w\t1"]
    assert flatten({"v": value}, ensure_ascii=False) == [f"/v\t{value}"]


def test_a_value_of_two_keys_gives_two_lines() -> None:
    assert flatten({"k": "one\ntwo\n"}) == ["/k\tone", "/k\ttwo"]


def test_root_has_no_password_and_tiny_has_one() -> None:
    shadow = dict(line.split(":", 2)[:2] for line in (GUEST_FILES / "etc/shadow").read_text().splitlines())
    assert shadow["root"] == "*"
    assert shadow["tiny"].startswith("$6$")


def test_ssh_takes_keys_only_while_the_password_is_the_one_that_everybody_knows() -> None:
    script = (GUEST_FILES / "etc/init.d/ssh").read_text()
    condition = next(line for line in script.splitlines() if line.endswith("keys_only=-s"))
    known = (GUEST_FILES / "etc/shadow").read_text()
    for shadow, option in ((known, "-s"), (known.replace("tinytinytiny", "another"), "")):
        asked = condition.replace("/etc/shadow", "/dev/stdin") + "; echo [$keys_only]"
        said = subprocess.run(["sh", "-c", asked], input=shadow, capture_output=True, text=True, check=True).stdout
        assert said == f"[{option}]\n"
    assert "dropbear -F $keys_only " in script
