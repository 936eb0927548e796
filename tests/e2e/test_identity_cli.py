"""The unmodified ``openstack`` command on everything of identity: made, changed, shown, listed and deleted."""

import json
import shlex
from collections.abc import Iterator

import pytest

from tests.e2e.cloud import Cloud
from tests.e2e.shell import Shell, names
from tests.kit import secrecy

pytestmark = pytest.mark.real

PASSWORD = secrecy.remember("Pw-of-the-client-1")


@pytest.fixture(scope="module")
def openstack() -> Iterator[Shell]:
    cloud = Cloud(driver="fake")
    shell = None
    try:
        shell = Shell(cloud.up())
        shell.cloud = cloud  # type: ignore[attr-defined]
        for command in (
            "domain create acme",
            "project create lab --domain acme",
            f"user create ann --domain acme --password {PASSWORD}",
            f"user create bob --password {PASSWORD}",
            "project create den",
            "role add member --user bob --project den",
        ):
            shell(command)
        yield shell
    finally:
        if shell is not None:
            shell.close()
        cloud.down()


def test_domains(openstack: Shell):
    made = openstack("domain create shop --description First")
    assert (made["name"], made["enabled"]) == ("shop", True)
    openstack("domain set shop --name store --disable")
    assert openstack("domain show store")["enabled"] is False
    assert "store" in names(openstack("domain list"))
    openstack("domain delete store")
    assert "store" not in names(openstack("domain list"))


def test_projects(openstack: Shell):
    top = openstack("project create top --domain acme --tag red --property colour=blue")
    assert top["colour"] == "blue"
    openstack("project create below --domain acme --parent top")
    openstack("project set below --domain acme --description Deep --tag warm")
    shown = openstack("project show below --domain acme --parents")
    assert (shown["parent_id"], shown["description"], shown["tags"]) == (top["id"], "Deep", ["warm"])
    assert names(openstack("project list --domain acme --tags warm")) == {"below"}
    assert names(openstack(f"project list --parent {top['id']}")) == {"below"}
    openstack("project delete below --domain acme")
    openstack("project delete top --domain acme")


def test_users(openstack: Shell):
    made = openstack(f"user create eve --domain acme --password {PASSWORD} --email eve@acme.example")
    assert made["email"] == "eve@acme.example"
    openstack("user set eve --domain acme --name eva --description Tester --disable")
    shown = openstack("user show eva --domain acme")
    assert (shown["description"], shown["enabled"]) == ("Tester", False)
    assert "eva" in names(openstack("user list --domain acme"))
    openstack("user delete eva --domain acme")


def test_groups(openstack: Shell):
    group = openstack("group create staff --domain acme --description Everybody")
    openstack("group set staff --domain acme --name crew")
    assert openstack("group show crew --domain acme")["description"] == "Everybody"
    openstack("group add user crew ann --group-domain acme --user-domain acme")
    assert "ann in group crew" in openstack("group contains user crew ann --group-domain acme --user-domain acme")
    assert names(openstack(f"user list --group {group['id']}")) == {"ann"}
    openstack("role add reader --group crew --group-domain acme --project lab --project-domain acme")
    openstack("group remove user crew ann --group-domain acme --user-domain acme")
    assert "crew" in names(openstack("group list --domain acme"))
    openstack("group delete crew --domain acme")


def test_roles_and_what_they_imply(openstack: Shell):
    openstack("role create auditor --description Looks")
    openstack("role set auditor --name inspector")
    assert openstack("role show inspector")["description"] == "Looks"
    assert "inspector" in names(openstack("role list"))
    openstack("implied role create inspector --implied-role reader")
    assert ("inspector", "reader") in {
        (row["Prior Role Name"], row["Implied Role Name"]) for row in openstack("implied role list")
    }
    openstack("implied role delete inspector --implied-role reader")
    openstack("role create local --domain acme")
    assert names(openstack("role list --domain acme")) == {"local"}
    openstack("role delete local --domain acme")
    openstack("role delete inspector")


def test_role_assignments(openstack: Shell):
    openstack("role add member --user ann --user-domain acme --project lab --project-domain acme")
    openstack("role add reader --user ann --user-domain acme --domain acme --inherited")
    openstack("role add reader --user ann --user-domain acme --system all")
    rows = openstack("role assignment list --user ann --user-domain acme --names")
    assert {(row["Role"], row["Project"], row["Domain"], row["System"], row["Inherited"]) for row in rows} == {
        ("member", "lab@acme", "", "", False),
        ("reader", "", "acme", "", True),
        ("reader", "", "", "all", False),
    }
    effective = openstack("role assignment list --user ann --user-domain acme --project lab --project-domain acme --effective")
    assert len(effective) == 2
    openstack("role remove reader --user ann --user-domain acme --system all")
    openstack("role remove reader --user ann --user-domain acme --domain acme --inherited")
    openstack("role remove member --user ann --user-domain acme --project lab --project-domain acme")
    assert openstack("role assignment list --user ann --user-domain acme") == []


def test_the_catalog(openstack: Shell):
    openstack("region create west --description Far")
    openstack("region set west --description Farther")
    assert openstack("region show west")["description"] == "Farther"
    assert "west" in names(openstack("region list"), "Region")
    openstack("service create metering --name meter")
    openstack("service set meter --description Counts")
    assert openstack("service show meter")["description"] == "Counts"
    assert "meter" in names(openstack("service list"))
    made = openstack("endpoint create meter public http://127.0.0.1:1/meter --region west")
    openstack(f"endpoint set {made['id']} --url http://127.0.0.1:2/meter")
    assert openstack(f"endpoint show {made['id']}")["url"] == "http://127.0.0.1:2/meter"
    assert names(openstack("endpoint list --service meter"), "URL") == {"http://127.0.0.1:2/meter"}
    assert "meter" in names(openstack("catalog list"))
    assert openstack("catalog show meter")["type"] == "metering"
    openstack(f"endpoint delete {made['id']}")
    openstack("service delete meter")
    openstack("region delete west")


def test_tokens(openstack: Shell):
    token = openstack("token issue")["id"]
    openstack(f"token revoke {token}")
    assert openstack.run(f"token revoke {token}")["code"] != 0


def test_application_credentials_and_their_rules(openstack: Shell):
    rules = json.dumps([{"service": "compute", "method": "GET", "path": "/v2.1/servers"}])
    made = openstack(f"application credential create robot --role reader --access-rules {shlex.quote(rules)}")
    assert made["Secret"]
    assert openstack("application credential show robot")["Unrestricted"] is False
    assert names(openstack("application credential list")) == {"robot"}
    rule = openstack("access rule list")[0]
    assert openstack(f"access rule show {rule['ID']}")["Path"] == "/v2.1/servers"
    assert openstack.run(f"access rule delete {rule['ID']}")["code"] != 0
    openstack("application credential delete robot")
    openstack(f"access rule delete {rule['ID']}")
    assert openstack("access rule list") == []


def test_credentials(openstack: Shell):
    made = openstack("credential create --type cert bob shared-secret")
    openstack(f"credential set {made['id']} --user bob --type cert --data another")
    assert openstack(f"credential show {made['id']}")["blob"] == "another"
    assert made["id"] in names(openstack("credential list --user bob"), "ID")
    openstack(f"credential delete {made['id']}")
    keys = openstack("ec2 credentials create")
    assert keys["access"] in names(openstack("ec2 credentials list"), "Access")
    assert openstack(f"ec2 credentials show {keys['access']}")["secret"] == keys["secret"]
    openstack(f"ec2 credentials delete {keys['access']}")
    assert openstack("ec2 credentials list") == []


def test_trusts(openstack: Shell):
    made = openstack("trust create admin bob --project admin --role reader --impersonate")
    assert openstack(f"trust show {made['id']}")["is_impersonation"] is True
    assert made["id"] in names(openstack("trust list"), "ID")
    openstack(f"trust delete {made['id']}")
    assert openstack("trust list") == []


def test_limits(openstack: Shell):
    openstack("service create storage --name store")
    default = openstack("registered limit create --service store --default-limit 10 --region RegionOne volumes")
    openstack(f"registered limit set {default['id']} --default-limit 12")
    assert openstack(f"registered limit show {default['id']}")["default_limit"] == 12
    assert "volumes" in names(openstack("registered limit list"), "Resource Name")
    made = openstack("limit create --project den --service store --resource-limit 3 --region RegionOne volumes")
    openstack(f"limit set {made['id']} --resource-limit 4")
    assert openstack(f"limit show {made['id']}")["resource_limit"] == 4
    assert made["id"] in names(openstack("limit list --service store"), "ID")
    assert openstack.run(f"registered limit delete {default['id']}")["code"] != 0
    openstack(f"limit delete {made['id']}")
    openstack(f"registered limit delete {default['id']}")
    openstack("service delete store")


def test_policies(openstack: Shell, tmp_path):
    rules = tmp_path / "rules.json"
    rules.write_text("{}")
    made = openstack(f"policy create {rules}")
    openstack(f"policy set {made['id']} --type text/plain")
    assert openstack(f"policy show {made['id']}")["type"] == "text/plain"
    assert made["id"] in names(openstack("policy list"), "ID")
    openstack(f"policy delete {made['id']}")
