"""A domain's own configuration: options of known groups, kept for it (Identity v3, "Domain configuration").

Identity lives in our database alone. The options of a directory (group ``ldap``) are therefore kept and told, and nothing more.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts import policies
from accounts.models import DEFAULT_DOMAIN_ID, Domain, DomainSetting
from accounts.services.writing import conflict, storing
from portal.core.context import RequestContext
from portal.core.errors import Forbidden, NotFound
from portal.core.policy import authorize

Config = dict[str, dict[str, Any]]

_LDAP = (
    "url user suffix query_scope page_size alias_dereferencing debug_level chase_referrals tls_cacertfile tls_cacertdir use_tls "
    "tls_req_cert use_pool pool_size pool_retry_max pool_retry_delay pool_connection_timeout pool_connection_lifetime "
    "use_auth_pool auth_pool_size auth_pool_connection_lifetime user_tree_dn user_filter user_objectclass user_id_attribute "
    "user_name_attribute user_mail_attribute user_description_attribute user_pass_attribute user_enabled_attribute "
    "user_enabled_invert user_enabled_mask user_enabled_default user_attribute_ignore user_default_project_id_attribute "
    "user_enabled_emulation user_enabled_emulation_dn user_enabled_emulation_use_group_config "
    "user_additional_attribute_mapping group_tree_dn group_filter group_objectclass group_id_attribute group_name_attribute "
    "group_members_are_ids group_member_attribute group_desc_attribute group_attribute_ignore group_additional_attribute_mapping"
)
SECURITY_COMPLIANCE = "security_compliance"
DEFAULTS: Config = {"identity": {"driver": "sql", "list_limit": None}, "ldap": dict.fromkeys(_LDAP.split())}


def defaults(*, ctx: RequestContext, group: str | None = None, option: str | None = None) -> Config | dict[str, Any]:
    """Return what holds for a domain that sets nothing: of every group, of one, or of one option."""
    authorize(ctx, policies.GET_DOMAIN_CONFIG_DEFAULT)
    _refuse_unknown(group, option)
    return _part(DEFAULTS, group, option)


def show(*, ctx: RequestContext, domain: Domain, group: str | None = None, option: str | None = None) -> dict[str, Any]:
    """Return what a domain sets: of every group, of one, or of one option; raises NotFound when that is nothing."""
    authorize(ctx, policies.GET_DOMAIN_CONFIG, domain)
    _refuse_unknown(group, option)
    found: Config = {}
    for row in _rows(domain, group, option):
        found.setdefault(row.group, {})[row.option] = row.value
    if not found:
        raise _nothing(domain, group, option)
    return _part(found, group, option)


def security_compliance(*, ctx: RequestContext, domain_id: str, option: str | None = None) -> dict[str, Any]:
    """Return what passwords have to look like, as everybody may know who chooses one; told for the default domain alone."""
    authorize(ctx, policies.GET_SECURITY_COMPLIANCE)
    if domain_id != DEFAULT_DOMAIN_ID:
        raise Forbidden("Invalid domain specific configuration: security compliance is told for the default domain only.")
    found: dict[str, Any] = {
        "password_regex": settings.PASSWORD_REGEX or None,
        "password_regex_description": settings.PASSWORD_REGEX_WORDS or None,
    }
    if option is not None and option not in found:
        raise Forbidden(f"Invalid domain specific configuration: option {option} of security compliance is not told.")
    return {SECURITY_COMPLIANCE: found} if option is None else {option: found[option]}


def replace(*, ctx: RequestContext, domain: Domain, config: Config) -> None:
    """Let a domain set just this."""
    authorize(ctx, policies.CREATE_DOMAIN_CONFIG, domain)
    _refuse_wrong(config)
    with transaction.atomic():
        domain.settings.all().delete()
        _write(domain, config)


def update(
    *, ctx: RequestContext, domain: Domain, config: Config, group: str | None = None, option: str | None = None
) -> None:
    """Change some of what a domain sets; with a group or an option only that, and it must be set already."""
    authorize(ctx, policies.UPDATE_DOMAIN_CONFIG, domain)
    _refuse_unknown(group, option)
    wanted = config if option is None else {group or "": config}
    _refuse_wrong(wanted)
    if (group is not None and set(wanted) != {group}) or (option is not None and set(config) != {option}):
        raise Forbidden("Invalid domain specific configuration: the body and the address name different options.")
    if group is not None and not _rows(domain, group, option).exists():
        raise _nothing(domain, group, option)
    with storing(conflict("domain config", "it was changed at the same time")):
        _write(domain, wanted)


def delete(*, ctx: RequestContext, domain: Domain, group: str | None = None, option: str | None = None) -> None:
    """Let a domain set nothing more: of every group, of one, or of one option; raises NotFound when it does not."""
    authorize(ctx, policies.DELETE_DOMAIN_CONFIG, domain)
    _refuse_unknown(group, option)
    if not _rows(domain, group, option).delete()[0] and group is not None:
        raise _nothing(domain, group, option)


def _rows(domain: Domain, group: str | None, option: str | None) -> Any:
    named = {"group": group, "option": option}
    return domain.settings.filter(**{name: value for name, value in named.items() if value is not None})


def _write(domain: Domain, config: Config) -> None:
    for group, options in config.items():
        for option, value in options.items():
            DomainSetting.objects.update_or_create(domain=domain, group=group, option=option, defaults={"value": value})


def _part(config: Config, group: str | None, option: str | None) -> dict[str, Any]:
    if group is None:
        return config
    return {group: config[group]} if option is None else {option: config[group][option]}


def _refuse_wrong(config: Any) -> None:
    if not isinstance(config, dict) or not config:
        raise Forbidden("Invalid domain specific configuration: no options specified.")
    for group, options in config.items():
        if not isinstance(options, dict) or not options:
            raise Forbidden(f"Invalid domain specific configuration: the value of group {group} must be an object of options.")
        _refuse_unknown(group, *options)


def _refuse_unknown(group: str | None, *options: str | None) -> None:
    if group is not None and group not in DEFAULTS:
        raise Forbidden(f"Invalid domain specific configuration: group {group} is not supported for domains.")
    unknown = _first_unknown(DEFAULTS.get(group or "", {}), options)
    if unknown is not None:
        raise Forbidden(
            f"Invalid domain specific configuration: option {unknown} in group {group} is not supported for domains."
        )


def _first_unknown(known: Iterable[str], options: Iterable[str | None]) -> str | None:
    return next((option for option in options if option is not None and option not in known), None)


def _nothing(domain: Domain, group: str | None, option: str | None) -> NotFound:
    what = f"option {option} in group {group}" if option else f"group {group}" if group else "any options"
    return NotFound("domain config", domain.pk, f"Could not find {what} in domain configuration for domain {domain.pk}.")
