"""API access: files for clients and application credentials."""

import re
import subprocess

import pytest
import yaml
from openstack.config import OpenStackConfig

from accounts.models import ApplicationCredential
from tests.accounts.factories import ProjectFactory
from tests.kit.identity import Api

NEW = "/api-access/new/"


def region(folder, text):
    """Return what the client's own loader makes of a clouds.yaml."""
    file = folder / "clouds.yaml"
    file.write_text(text)
    return OpenStackConfig(config_files=[str(file)], vendor_files=[], secure_files=[], load_envvars=False).get_one()


@pytest.fixture
def member(world):
    return world.people.member


def test_the_client_reads_clouds_yaml_and_it_holds_no_password(member, browse, tmp_path):
    member.project.name = 'lab: "x" #1 实验'
    member.project.save()
    answer = browse("member").get("/api-access/clouds.yaml")
    assert answer["Content-Disposition"] == 'attachment; filename="clouds.yaml"'
    found = region(tmp_path, answer.text)
    assert found.auth["auth_url"].endswith("/identity/v3")
    assert found.auth["username"] == "member"
    assert (found.auth["project_id"], found.auth["project_name"]) == (member.project.pk, member.project.name)
    assert found.config["auth_type"] == "password"
    assert found.region_name == "RegionOne"
    assert "password" not in answer.text


def test_a_shell_reads_openrc_and_asks_for_the_password(member, browse, tmp_path):
    member.project.name = "lab'; touch hacked; '"
    member.project.save()
    answer = browse("member").get("/api-access/openrc.sh")
    (tmp_path / "openrc.sh").write_text(answer.text)
    line = 'source ./openrc.sh >/dev/null; printf "%s|" "$OS_PROJECT_NAME" "$OS_PROJECT_ID" "$OS_USERNAME" "$OS_PASSWORD"'
    told = subprocess.run(["bash", "-c", line], cwd=tmp_path, input="typed in\n", capture_output=True, text=True, check=True)
    assert told.stdout == f"{member.project.name}|{member.project.pk}|member|typed in|"
    assert not (tmp_path / "hacked").exists()


def test_a_shell_forgets_where_it_worked_before(member, browse, tmp_path):
    (tmp_path / "openrc.sh").write_text(browse("member").get("/api-access/openrc.sh").text)
    before = 'export OS_TOKEN=old OS_CLOUD=other OS_AUTH_TYPE=token OS_PROJECT_DOMAIN_NAME="a b" MY_OS_X=1; '
    line = before + "source ./openrc.sh >/dev/null; env | grep OS_ | cut -d= -f1 | sort"
    told = subprocess.run(["bash", "-c", line], cwd=tmp_path, input="x\n", capture_output=True, text=True, check=True).stdout
    assert {"MY_OS_X", "OS_PASSWORD", "OS_PROJECT_ID"} <= set(told.split())
    assert not {"OS_TOKEN", "OS_CLOUD", "OS_AUTH_TYPE", "OS_PROJECT_DOMAIN_NAME"} & set(told.split())


def test_the_secret_is_shown_once_and_works(member, browse, tmp_path):
    client = browse("member")
    page = client.post(NEW, {"name": "backup", "roles": ["reader"]}).text
    secret = re.search(r'data-copy="([\w-]{40,})"', page)[1]
    text = re.search(r'<pre id="credential-file"[^>]*>(.*?)</pre>', page, re.DOTALL)[1].replace("&quot;", '"')
    found = region(tmp_path, text)
    row = ApplicationCredential.objects.get()
    assert found.config["auth_type"] == "v3applicationcredential"
    assert found.auth["application_credential_id"] == row.pk
    assert found.auth["application_credential_secret"] == secret
    assert yaml.safe_load(text)["clouds"]
    part = {"id": row.pk, "secret": secret}
    identity = {"methods": ["application_credential"], "application_credential": part}
    token = Api().post("/identity/v3/auth/tokens", {"auth": {"identity": identity}}).json()["token"]
    assert [role["name"] for role in token["roles"]] == ["reader"]
    assert token["project"]["id"] == member.project.pk
    assert secret not in client.get("/api-access/").text


def test_it_is_deleted_after_a_question(member, browse):
    client = browse("member")
    client.post(NEW, {"name": "backup", "roles": ["reader"]})
    row = ApplicationCredential.objects.get()
    address = f"/api-access/{row.pk}/actions/delete/"
    assert "shut out at once" in client.get(address).text
    assert f"credential delete {row.pk}" in client.get(f"{address}command/").text
    assert client.post(address).url == "/api-access/"
    assert not ApplicationCredential.objects.exists()


def test_what_is_anothers_is_not_there(member, browse):
    browse("member").post(NEW, {"name": "backup", "roles": ["reader"]})
    row = ApplicationCredential.objects.get()
    for who in ("stranger", "manager", "admin"):
        client = browse(who)
        assert row.pk not in client.get("/api-access/").text
        assert client.post(f"/api-access/{row.pk}/actions/delete/").status_code == 404
    assert ApplicationCredential.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        {"roles": ["reader"]},
        {"name": "x"},
        {"name": "x", "roles": ["admin"]},
        {"name": "x", "roles": ["reader"], "ends_on": "2020-01-01"},
        {"name": "x", "roles": ["reader"], "ends_on": "soon"},
        {"name": "x", "roles": ["reader"], "unrestricted": "on"},
        {"name": "taken", "roles": ["reader"]},
    ],
)
def test_what_cannot_be_is_said_on_the_form(member, browse, sent):
    client = browse("member")
    client.post(NEW, {"name": "taken", "roles": ["reader"]})
    answer = client.post(NEW, sent)
    assert answer.status_code == 400
    assert "alert-danger" in answer.text
    assert ApplicationCredential.objects.count() == 1


def test_the_page_shows_where_the_services_answer(world, browse):
    ProjectFactory(name="unrelated")
    answer = browse("reader").get("/api-access/")
    assert answer.status_code == 200
    assert "openstack server list" in answer.text
