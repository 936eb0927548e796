"""The commands that do what a button does: for the openstack client, for curl, for Terraform."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from django.conf import settings


@dataclass(frozen=True)
class Form:
    """One way of saying it."""

    kind: str
    name: str
    text: str


@dataclass(frozen=True)
class Commands:
    """The same deed in several tongues; a missing one is left out. Secrets stand as variables."""

    openstack: str
    curl: str
    terraform: str = ""

    @property
    def forms(self) -> list[Form]:
        every = [
            Form("openstack", "openstack", self.openstack),
            Form("curl", "curl", self.curl),
            Form("terraform", "Terraform", self.terraform),
        ]
        return [form for form in every if form.text]


def openstack(*words: object) -> str:
    """Return a command line of the openstack client, quoted for a shell, folded before options when long."""
    parts = ["openstack", *(shlex.quote(str(word)) for word in words if word not in ("", None))]
    if len(" ".join(parts)) <= 72:
        return " ".join(parts)
    return " ".join(f"\\\n  {part}" if part.startswith("--") else part for part in parts)


def curl(method: str, path: str, body: Any = None, send_file: str = "", microversion: str = "") -> str:
    """Return a curl command for one of our APIs, with a JSON body or a file; the token is the variable $OS_TOKEN."""
    lines = [f"curl -X {method} {shlex.quote(settings.PUBLIC_URL + path)}", '  -H "X-Auth-Token: $OS_TOKEN"']
    if microversion:
        lines.append(f"  -H 'OpenStack-API-Version: compute {microversion}'")
    if body is not None:
        lines.append("  -H 'Content-Type: application/json'")
        lines.append(f"  -d {shlex.quote(json.dumps(body, ensure_ascii=False))}")
    if send_file:
        lines.append(f"  -H 'Content-Type: application/octet-stream' -T {shlex.quote(send_file)}")
    return " \\\n".join(lines)


def terraform(kind: str, name: str, /, **values: Any) -> str:
    """Return a Terraform resource with plain values."""
    label = "".join(sign if sign.isalnum() or sign in "_-" else "_" for sign in name) or "this"
    if not label[0].isalpha():
        label = f"r_{label}"
    lines = [f'resource "{kind}" "{label}" {{']
    width = max((len(key) for key, value in values.items() if value is not None), default=0)
    for key, value in values.items():
        if value is not None:
            lines.append(f"  {key.ljust(width)} = {_hcl(value)}")
    return "\n".join([*lines, "}"])


def _hcl(value: Any) -> str:
    """A JSON literal is an HCL literal once template marks are doubled."""
    return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
