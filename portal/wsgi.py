"""Django as WSGI: pages, APIs, admin."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from portal.core import log  # noqa: E402

log.configure(**settings.LOG)
