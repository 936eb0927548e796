"""Sentences and commands for machines that cannot run Nebulet as they are."""

import os
import socket
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import pytest
from lxml import etree
from lxml.builder import E

from deploy.launcher import hypervisor, moved, packages, preconditions
from deploy.launcher.errors import LauncherError


def test_a_taken_port_is_named_with_the_way_to_another(config):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(LauncherError, match=f"Port {port} .* in use") as caught:
            preconditions.check_port(replace(config, port=port))

    assert caught.value.command == f"NEBULET_PORT={port + 1} ./nebulet up"


def test_a_free_port_will_do(config):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    preconditions.check_port(replace(config, port=port))


def test_the_closed_folder_on_the_way_is_named(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for folder in tmp_path.parents:
        if not folder.stat().st_mode & 0o001:
            closed = folder  # pytest's own folders are closed to others
    with pytest.raises(LauncherError) as caught:
        preconditions.check_entrance(tmp_path / "closed" / "state")

    assert caught.value.command.startswith("chmod o+x /")
    assert caught.value.command.removeprefix("chmod o+x ") in str(tmp_path / "closed")


def test_folders_that_do_not_exist_yet_are_open():
    assert preconditions.closed_folder(preconditions.Path("/nowhere/at/all")) is None


@pytest.mark.parametrize(("free_mib", "outcome"), [(100, "error"), (500, "warning"), (5000, "")])
def test_space_short_warns_and_none_fails(monkeypatch, tmp_path, free_mib, outcome):
    monkeypatch.setattr(preconditions.shutil, "disk_usage", lambda folder: SimpleNamespace(free=free_mib << 20))

    if outcome == "error":
        with pytest.raises(LauncherError, match="100 MiB"):
            preconditions.check_space(tmp_path / "state")
    else:
        assert bool(preconditions.check_space(tmp_path / "state")) == bool(outcome)


def test_a_state_folder_that_is_a_link_is_refused(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path)

    with pytest.raises(LauncherError, match="link"):
        preconditions.check_owner(link)


def test_the_kvm_trap_is_seen_and_its_absence_too(tmp_path, monkeypatch):
    device = tmp_path / "kvm"
    device.touch(mode=0o600)
    monkeypatch.setattr(hypervisor.grp, "getgrnam", lambda name: SimpleNamespace(gr_gid=os.getegid()))

    assert "minute and a half" in hypervisor.kvm_trap(device)
    assert hypervisor.mend_kvm(device) == f"gave {device} to the group kvm"
    assert hypervisor.kvm_trap(device) is None
    assert hypervisor.kvm_trap(tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("name", "text", "refused"),
    [
        ("qemu.conf", '#stdio_handler = "file"\n', False),
        ("qemu.conf", 'user = "root"\nstdio_handler = "logd"\n', False),
        ("qemu.conf", 'user = "root"\n stdio_handler="file"\n', True),
        ("virtlogd.conf", "max_size = 2097152\nmax_backups = 0\n", False),
        ("virtlogd.conf", "max_size = 0\n", True),
    ],
)
def test_a_host_whose_console_logs_have_no_bound_is_refused(tmp_path, monkeypatch, name, text, refused):
    assert hypervisor.unbounded_logs(tmp_path) is None
    (tmp_path / name).write_text(text)
    reason = hypervisor.unbounded_logs(tmp_path)

    assert (reason is not None) is refused
    monkeypatch.setattr(hypervisor, "unbounded_logs", lambda: reason)
    if refused:
        with pytest.raises(LauncherError, match=f"{name} says .* without end would fill the disk"):
            hypervisor.check_logs()
    else:
        hypervisor.check_logs()


def test_only_packages_that_are_not_installed_are_missing(monkeypatch):
    told = SimpleNamespace(stdout="gcc ii \npython3 ii \nqemu-utils rc \n")
    monkeypatch.setattr(packages.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(packages.subprocess, "run", lambda *_, **__: told)

    assert packages.missing(["gcc", "qemu-utils", "python3", "libvirt-dev", "qemu-utils"]) == ["qemu-utils", "libvirt-dev"]


def test_the_fake_driver_needs_no_hypervisor():
    assert "qemu-system-x86" not in packages.for_running("fake")
    assert {"qemu-system-x86", "libvirt-dev", "dnsmasq-base"} <= set(packages.for_running("libvirt"))


def test_without_root_and_sudo_the_packages_and_the_command_are_named(monkeypatch):
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(packages.shutil, "which", lambda name: None)

    with pytest.raises(LauncherError, match="gcc") as caught:
        packages.install(["gcc"])

    assert caught.value.command == "apt-get update && apt-get install -y --no-install-recommends gcc"


@pytest.mark.parametrize(("start", "asked"), [(True, False), (False, True)])
def test_what_is_installed_for_tests_starts_no_service(monkeypatch, tmp_path, start, asked):
    """apt asks a program before it starts a service; it is there while apt runs and gone afterwards."""
    policy, apt = tmp_path / "policy-rc.d", tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\n[ -x {policy} ] && {policy}; echo $? >>"{tmp_path}/answers"\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{packages.os.environ['PATH']}")
    monkeypatch.setattr(packages, "_POLICY", str(policy))
    monkeypatch.setattr(packages.os, "geteuid", lambda: 0)

    packages.install(["postgresql"], start=start)

    assert ("101" in (tmp_path / "answers").read_text().split()) is asked
    assert not policy.exists()


def test_guests_whose_folder_was_moved_are_refused_with_the_link_that_mends_it(tmp_path):
    first, second = tmp_path / "it's first & old", tmp_path / "second"
    guest = first / "instances" / "4513f377-b160-4068-909c-d1e08cb0c2cd"
    guest.mkdir(parents=True)
    moved.check_place(first)
    disk, kernel = E.source(file=str(guest / "disk")), E.kernel(str(guest / "kernel"))
    (guest / "domain.xml").write_bytes(
        etree.tostring(E.domain(E.uuid(guest.name), E.os(E.boot(dev="hd"), kernel), E.devices(E.disk(disk))))
    )
    moved.check_place(first)

    first.rename(second)

    with pytest.raises(
        LauncherError, match=f"state folder was moved: .* in {first}/instances, .* in {second}/instances"
    ) as caught:
        moved.check_place(second)
    assert moved.moved_guests(second / "instances") in caught.value.sentence
    subprocess.run(caught.value.command, shell=True, check=True)
    moved.check_place(second)


@pytest.mark.parametrize(
    "definition",
    [
        E.domain(
            E.metadata(E.name('"/somewhere/4513f377-b160-4068-909c-d1e08cb0c2cd/"')),
            E.os(E.cmdline("x='/a/4513f377-b160-4068-909c-d1e08cb0c2cd/'")),
        ),
        b"\xff\xfe\x80 cut by a power failure",
        b"",
    ],
    ids=["what people wrote", "no text", "nothing"],
)
def test_what_people_wrote_and_what_cannot_be_read_says_nothing_of_a_place(tmp_path, definition):
    guest = tmp_path / "instances" / "4513f377-b160-4068-909c-d1e08cb0c2cd"
    guest.mkdir(parents=True)
    (guest / "domain.xml").write_bytes(definition if isinstance(definition, bytes) else etree.tostring(definition))
    moved.check_place(tmp_path)
    assert moved.moved_guests(tmp_path / "instances") is None
