"""Installations that exist only in a temporary folder."""

import os

import pytest

from deploy.launcher.config import Config
from deploy.launcher.state import Owner


@pytest.fixture
def environ(tmp_path):
    return {"NEBULET_STATE_DIR": str(tmp_path / "state"), "NEBULET_PORT": "18765", "NEBULET_HOST": "here"}


@pytest.fixture
def config(environ, tmp_path):
    return Config.read(environ, checkout=tmp_path / "checkout")


@pytest.fixture
def owner():
    return Owner(os.geteuid(), os.getegid())
