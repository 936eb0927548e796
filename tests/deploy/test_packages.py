"""How the distribution's packages come."""

from deploy.launcher import packages


def test_what_an_interrupted_installation_left_is_finished_before_apt_is_asked(monkeypatch):
    asked = []
    monkeypatch.setattr(packages.shell, "succeeds", lambda command, **_: asked.append(list(command)) or True)
    monkeypatch.setattr(packages.shell, "run", lambda command, **_: asked.append(list(command)) or "")
    monkeypatch.setattr(packages.os, "geteuid", lambda: 0)

    packages.install(["zstd"])

    assert asked[0][-3:] == ["dpkg", "--configure", "-a"]
    assert [command[-1] for command in asked[1:]] == ["update", "zstd"]
