"""What `status`, `down` and `doctor` tell."""

import json
import os
import time
from types import SimpleNamespace

import pytest

from deploy.launcher import checkup, control, kvm, memory
from deploy.launcher.commands import doctor, down, status
from deploy.launcher.control import Running, Status


@pytest.fixture
def running(monkeypatch):
    """An installation whose web process is this very process and whose conductor waits for its restart."""
    processes = (Running("web", os.getpid(), 0.0, 0, None), Running("conductor", 0, 0.0, 3, "exit code 1"))
    told = Status(os.getpid(), 0.0, "http://here", processes)
    monkeypatch.setattr(control, "read_status", lambda config: told)
    return told


def test_status_of_nothing_is_3_and_says_so(config, capsys):
    assert status.run(config, SimpleNamespace(json=False)) == 3
    assert "does not run" in capsys.readouterr().out
    assert status.run(config, SimpleNamespace(json=True)) == 3
    assert json.loads(capsys.readouterr().out) == {"running": False}


def test_status_for_scripts_has_processes_with_memory(config, running, capsys):
    assert status.run(config, SimpleNamespace(json=True)) == 0

    report = json.loads(capsys.readouterr().out)
    assert (report["address"], report["pid"]) == ("http://here", os.getpid())
    rows = {row["name"]: row for row in report["processes"]}
    assert rows["web"]["pss_kb"] > 1000
    assert (rows["conductor"]["restarts"], rows["conductor"]["last_exit"], rows["conductor"]["pss_kb"]) == (
        3,
        "exit code 1",
        0,
    )


def test_status_for_people_says_what_is_restarting(config, running, capsys):
    assert status.run(config, SimpleNamespace(json=False)) == 0

    said = capsys.readouterr().out
    assert "Nebulet runs at http://here" in said
    assert "restarting" in said


def test_down_is_harmless_when_nothing_runs(config, capsys):
    assert down.run(config, SimpleNamespace(arguments=["down"])) == 0


def test_memory_counts_descendants():
    alone = memory.tree_pss_kb(os.getpid(), {})
    parent = memory.tree_pss_kb(os.getppid(), {os.getppid(): [os.getpid()]})

    assert alone > 1000
    assert parent is None or parent > alone // 2
    assert memory.tree_pss_kb(999_999_999, {}) == 0


def test_the_doctor_fails_only_when_something_fails(config, monkeypatch, capsys):
    findings = [checkup.Finding("a", checkup.OK, "Good."), checkup.Finding("b", checkup.WARN, "Slow.", "mend b")]
    monkeypatch.setattr(checkup, "CHECKS", tuple(lambda config, one=one: one for one in findings))
    assert doctor.run(config, SimpleNamespace(json=False)) == 0
    assert "Run: mend b" in capsys.readouterr().out

    findings.append(checkup.Finding("c", checkup.FAIL, "Broken.", "mend c"))
    monkeypatch.setattr(checkup, "CHECKS", tuple(lambda config, one=one: one for one in findings))
    assert doctor.run(config, SimpleNamespace(json=True)) == 1
    assert [row["level"] for row in json.loads(capsys.readouterr().out)] == ["ok", "warn", "fail"]


@pytest.mark.parametrize(("outcome", "level", "words"), [(None, "ok", "ran under KVM"), ("no luck", "warn", "no luck")])
def test_a_kvm_that_runs_nothing_is_told_from_one_that_does(config, monkeypatch, outcome, level, words):
    monkeypatch.setattr(checkup.hypervisor, "KVM", SimpleNamespace(exists=lambda: True, __fspath__=lambda: "/dev/null"))
    monkeypatch.setattr(checkup.hypervisor, "kvm_trap", lambda: None)
    monkeypatch.setattr(checkup.os, "access", lambda *_: True)
    monkeypatch.setattr(kvm, "runs_guests", lambda: outcome)

    finding = checkup.processor(config)

    assert (finding.level, words in finding.sentence) == (level, True)


@pytest.mark.real
def test_the_probe_guest_runs_in_emulation():
    assert kvm.runs_guests("tcg") is None
    assert "invalid accelerator" in kvm.runs_guests("no-such")


def test_a_kvm_that_gives_up_on_a_guest_is_told_at_once(tmp_path, monkeypatch):
    qemu = tmp_path / "qemu-system-x86_64"
    qemu.write_text("#!/bin/sh\necho 'KVM internal error. Suberror: 1' >&2\nexec sleep 60\n")
    qemu.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    before = time.monotonic()
    assert kvm.runs_guests() == "KVM internal error. Suberror: 1"
    assert time.monotonic() - before < 4

    qemu.write_text("#!/bin/sh\necho 'warning: of no weight' >&2\necho 'qemu: it was this.' >&2\nexit 1\n")
    assert kvm.runs_guests() == "qemu: it was this"
