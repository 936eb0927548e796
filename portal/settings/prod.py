"""A running installation: secrets from the state folder, no debug pages."""

from portal.settings.base import *  # noqa: F403
from portal.settings.base import ENV

DEBUG = False
SECRET_KEY = (ENV.secrets / "secret-key").read_text().strip()
