"""API access: files for clients and application credentials."""

import re
import subprocess

import pytest
import yaml
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openstack.config import OpenStackConfig

from accounts.models import ApplicationCredential, Credential, Trust
from accounts.services import credentials, trusts
from portal.core.policy import engine
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


def credential(owner, **values):
    return credentials.create(ctx=owner.ctx, user_id=owner.user.pk, **{"type": "cert", "blob": "very secret", **values})


def trust(giver, receiver):
    roles = [{"name": "reader"}]
    people = {"trustor_user_id": giver.user.pk, "trustee_user_id": receiver.user.pk}
    return trusts.create(ctx=giver.ctx, **people, impersonation=False, project_id=giver.project.pk, roles=roles)


def test_key_pairs_and_other_credentials_are_shown_without_their_secrets(member, browse):
    pair = credentials.create_ec2(ctx=member.ctx, user=member.user, project=member.project)
    known = credentials.ec2_pair(pair)
    other = credential(member)
    page = browse("member").get("/api-access/").text
    assert known.access in page
    assert f'id="row-{other.pk}"' in page
    assert "cert" in page
    assert known.secret not in page
    assert "very secret" not in page


def test_a_key_pair_that_cannot_be_opened_leaves_the_page_whole(member, browse):
    pair = credentials.create_ec2(ctx=member.ctx, user=member.user, project=member.project)
    Credential.objects.filter(pk=pair.pk).update(sealed="sealed with a key that is gone", created_at=None)
    assert f'id="row-{pair.pk}"' in browse("member").get("/api-access/").text


@pytest.mark.parametrize("kind", ["pair", "other"])
def test_a_credential_is_deleted_after_a_question(member, browse, kind):
    made = (
        credential(member)
        if kind == "other"
        else credentials.create_ec2(ctx=member.ctx, user=member.user, project=member.project)
    )
    address, client = f"/api-access/credentials/{made.pk}/actions/delete/", browse("member")
    assert "shut out at once" in client.get(address).text
    assert f"credential delete {made.pk}" in client.get(f"{address}command/").text.replace("\\\n ", "")
    assert client.post(address).url == "/api-access/"
    assert not Credential.objects.exists()


def test_the_second_factor_is_no_credential_to_delete_here(member, browse):
    seed = credential(member, type="totp", blob="JBSWY3DPEHPK3PXP")
    client = browse("member")
    assert seed.pk not in client.get("/api-access/").text
    assert client.post(f"/api-access/credentials/{seed.pk}/actions/delete/").status_code == 404
    assert Credential.objects.exists()


def test_a_trust_is_shown_to_both_and_taken_back_by_who_gave_it(world, member, browse):
    reader = world.people.reader
    row = trust(member, reader)
    address = f"/api-access/trusts/{row.pk}/actions/delete/"
    mine, his = browse("member").get("/api-access/").text, browse("reader").get("/api-access/").text
    assert "given to reader" in mine
    assert f'href="{address}"' in mine
    assert "received from member" in his
    assert f'href="{address}why/"' in his
    assert "identity:delete_trust" in browse("reader").get(f"{address}why/").text
    assert browse("reader").post(address).status_code == 403
    assert f"trust delete {row.pk}" in browse("member").get(f"{address}command/").text
    assert browse("member").post(address).url == "/api-access/"
    assert not Trust.objects.exists()


def test_what_else_is_anothers_is_not_there_either(world, member, browse):
    kept, lent = credential(member), trust(member, world.people.reader)
    for who in ("stranger", "manager", "admin"):
        client = browse(who)
        page = client.get("/api-access/").text
        for kind, row in (("credentials", kept), ("trusts", lent)):
            assert row.pk not in page
            assert client.post(f"/api-access/{kind}/{row.pk}/actions/delete/").status_code == 404
    assert Credential.objects.exists()
    assert Trust.objects.exists()


def test_what_a_rule_closes_is_left_out_of_the_page(member, browse, tmp_path, settings):
    kept, lent = credential(member), trust(member, member)
    file = tmp_path / "policy.json"
    file.write_text('{"identity:list_credentials": "!", "identity:list_trusts_for_trustor": "!"}')
    settings.POLICY_FILES = {**settings.POLICY_FILES, "identity": file}
    engine.reset()
    page = browse("member").get("/api-access/")
    engine.reset()
    assert page.status_code == 200
    assert kept.pk not in page.text
    assert lent.pk not in page.text


def test_more_credentials_take_no_more_queries(world, member, browse):
    client, people = browse("member"), world.people

    def queries():
        with CaptureQueriesContext(connection) as asked:
            client.get("/api-access/")
        return len(asked)

    credential(member)
    trust(member, people.reader)
    client.get("/api-access/")
    few = queries()
    for giver, receiver in ((people.manager, member), (member, people.manager)):
        credential(member)
        credentials.create_ec2(ctx=member.ctx, user=member.user, project=member.project)
        trust(giver, receiver)
    assert queries() == few


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
