"""Rules of the portal itself."""

from portal.core.policy.rules import Rule, registry

ADMIN_SITE = Rule("portal:admin_site", "role:admin", "Open the administration site.")

registry.register("portal", [ADMIN_SITE])
