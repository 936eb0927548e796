"""Rules of the portal itself."""

from django.utils.translation import gettext_noop as _

from portal.core.policy.rules import Rule, registry

ADMIN_SITE = Rule("portal:admin_site", "role:admin", _("Open the administration site."))

registry.register("portal", [ADMIN_SITE])
