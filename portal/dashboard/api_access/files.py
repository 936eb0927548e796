"""The files by which clients know this cloud: clouds.yaml and openrc.sh."""

import json
import shlex
from typing import Any

from django.conf import settings

from portal.core.context import RequestContext

IDENTITY = "/identity/v3"
FORGET = (
    r"for _name in $(env | sed -n 's/^\(OS_[A-Z0-9_]*\)=.*/\1/p'); do",
    '    unset "$_name"',
    "done",
    "unset _name",
)


def clouds_yaml(ctx: RequestContext) -> str:
    """Return a clouds.yaml for the present user and project, without a password: the client asks for it."""
    auth = {
        "auth_url": settings.PUBLIC_URL + IDENTITY,
        "username": ctx.user_name,
        "user_domain_id": ctx.user_domain_id,
        "project_id": ctx.project_id,
        "project_name": ctx.project_name,
        "project_domain_id": ctx.project_domain_id,
    }
    return _clouds({"auth": auth})


def clouds_yaml_of_credential(key: str, secret: str) -> str:
    """Return a clouds.yaml by which a program works with an application credential."""
    auth = {
        "auth_url": settings.PUBLIC_URL + IDENTITY,
        "application_credential_id": key,
        "application_credential_secret": secret,
    }
    return _clouds({"auth_type": "v3applicationcredential", "auth": auth})


def openrc(ctx: RequestContext) -> str:
    """Return a script that sets a shell up for the present user and project; it asks for the password."""
    values = {
        "OS_AUTH_URL": settings.PUBLIC_URL + IDENTITY,
        "OS_IDENTITY_API_VERSION": "3",
        "OS_USERNAME": ctx.user_name,
        "OS_USER_DOMAIN_ID": ctx.user_domain_id,
        "OS_PROJECT_ID": ctx.project_id,
        "OS_PROJECT_NAME": ctx.project_name,
        "OS_PROJECT_DOMAIN_ID": ctx.project_domain_id,
        "OS_REGION_NAME": settings.REGION,
        "OS_INTERFACE": "public",
    }
    lines = [f"export {name}={shlex.quote(str(value))}" for name, value in values.items()]
    asks = ['printf "Password of %s: " "$OS_USERNAME"', "read -rs OS_PASSWORD", "echo", "export OS_PASSWORD"]
    return "\n".join(["# Use it in bash by: source openrc.sh", *FORGET, *lines, *asks, ""])


def _clouds(entry: dict[str, Any]) -> str:
    common = {"region_name": settings.REGION, "interface": "public", "identity_api_version": 3}
    return "\n".join(["clouds:", *_lines({settings.NAME: {**entry, **common}}, 1), ""])


def _lines(values: dict[str, Any], depth: int) -> list[str]:
    """Return a mapping in YAML; a JSON string is one of YAML too."""
    found = []
    for key, value in values.items():
        inner = isinstance(value, dict)
        found.append(f"{'  ' * depth}{key}:{'' if inner else ' ' + json.dumps(value, ensure_ascii=False)}")
        found += _lines(value, depth + 1) if inner else []
    return found
