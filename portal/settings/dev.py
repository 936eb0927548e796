"""A developer's checkout: the installation of NEBULET_STATE_DIR when it has secrets, else settings that only check and migrate."""

from portal.settings.base import *  # noqa: F403
from portal.settings.base import ENV

_key = ENV.secrets / "secret-key"
DEBUG = False
SECRET_KEY = _key.read_text().strip() if _key.exists() else "for checks only: nothing is served with this key"
