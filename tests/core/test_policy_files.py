"""Policy files of a running OpenStack, samples of our own, why a rule answers as it does, and new files rehearsed."""

import json
from io import StringIO

import pytest
import yaml
from django.core.management import CommandError, call_command
from oslo_policy import generator, policy

from images import policies
from portal.core.context import RequestContext
from portal.core.models import PolicyRecord
from portal.core.policy import engine, records, upstream
from portal.core.policy.rules import registry
from tests.accounts.factories import AssignmentFactory
from tests.kit.compute import *  # noqa: F403
from tests.kit.compute import ServerFactory
from tests.kit.identity import personas  # noqa: F401

pytestmark = pytest.mark.django_db
SERVICES = ("identity", "image", "compute", "network")


@pytest.fixture
def files(tmp_path, settings):
    """A policy file for every service, none of which is there yet."""
    settings.POLICY_FILES = {service: tmp_path / f"{service}.json" for service in registry.services()}
    engine.reset()
    yield settings.POLICY_FILES
    engine.reset()


def said(*words, **options):
    out = StringIO()
    call_command("policy", *words, *(f"--{name}={value}" for name, value in options.items()), stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("service", SERVICES)
def test_our_rules_bear_openstacks_names(service):
    ours = {name for name, rule in registry.of(service).items() if not rule.base}
    own = {"os_compute_api:servers:share", "share_image"}
    assert ours - upstream.names(service) <= own


@pytest.mark.parametrize("service", SERVICES)
def test_a_sample_that_oslo_policy_writes_changes_nothing(files, service, monkeypatch):
    rules = [policy.RuleDefault(rule.name, rule.check, rule.summary) for rule in registry.of(service).values()]
    monkeypatch.setattr(generator, "get_policies_dict", lambda namespaces: {service: rules})
    path = files[service].with_suffix(".yaml")
    generator._generate_sample([service], str(path))
    path.write_text(f"\n{path.read_text()}".replace('\n#"', '\n"'))
    assert len(policy.parse_file_contents(path.read_text())) == len(rules)
    live = engine.service_policy(service)
    live.refresh()
    assert (live.problems, live.notes, live.changed()) == ([], [], {})


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_our_own_sample_changes_nothing(files, form):
    for service in SERVICES:
        text = said("sample", service, format=form)
        files[service].with_suffix(f".{form}").write_text(text)
        assert engine.service_policy(service).changed() == {}
    assert said("diff") == ""


def test_a_file_from_elsewhere_works_and_tells_what_it_names_in_vain(files, caplog):
    files["compute"].write_text(
        json.dumps(
            {
                "os_compute_api:servers:start": "role:starter",
                "os_compute_api:os-volumes:list": "",
                "os_compute_api:servers:strat": "role:admin",
                "site_rule": "role:x",
                "os_compute_api:servers:stop": "rule:site_rule",
            }
        )
    )
    with caplog.at_level("INFO"):
        live = engine.service_policy("compute")
        live.refresh()
    assert live.problems == ["rule os_compute_api:servers:strat is not known here; did you mean os_compute_api:servers:start?"]
    assert live.notes == ["os_compute_api:os-volumes:list"]
    assert "os-volumes:list" in caplog.text


def test_the_short_names_of_images_rule_images(files, personas):  # noqa: F811
    owned = {"project_id": personas.lab.pk, "owner": personas.lab.pk, "visibility": "private", "member_id": None}
    assert not engine.allowed(personas.member.ctx, policies.PUBLICIZE_IMAGE, owned)
    files["image"].write_text('{"publicize_image": "role:member", "communitize_image": "role:admin", "copy_from": ""}')
    assert engine.allowed(personas.member.ctx, policies.PUBLICIZE_IMAGE, owned)
    assert not engine.allowed(personas.member.ctx, policies.COMMUNITIZE_IMAGE, owned)
    assert len(engine.service_policy("image").problems) == 1
    assert engine.service_policy("image").problems[0].startswith("rule copy_from is not known here")


def test_list_and_diff_show_what_a_file_changes(files):
    files["compute"].write_text('{"os_compute_api:servers:start": "role:starter"}')
    listed = said("list", "compute")
    assert "os_compute_api:servers:start\n    role:starter    Start a stopped server." in listed
    assert "+ role:starter" in said("diff")


def test_check_says_which_part_decided(files, personas):  # noqa: F811
    server = ServerFactory(project_id=personas.lab.pk, user_id=personas.member.user.pk)
    found = said("check", "reader", "lab", "os_compute_api:servers:stop", f"server:{server.pk}")
    assert found.startswith("refused: os_compute_api:servers:stop to reader in lab (reader)")
    assert "role:member" in found.splitlines()[1]
    assert found.splitlines()[-2].startswith("You are reader in lab. This needs: ")
    assert found.splitlines()[-1] == "Whoever may assign the role member in project lab can give it to you."
    found = said("check", "member", "lab", "os_compute_api:servers:stop", f"server:{server.pk}")
    assert found.startswith("allowed")
    assert "decided by: role:member, project_id:%(project_id)s" in found
    assert said("check", "operator", "system", "identity:create_user").startswith("allowed")


@pytest.mark.parametrize(
    "words",
    [
        ("check", "reader", "lab", "no:such:rule"),
        ("check", "nobody-knows", "lab", "identity:list_users"),
        ("check", "reader", "other", "identity:list_users"),
        ("check", "reader", "lab", "identity:list_users", "server:nothing"),
        ("rehearse", "/nothing.json", "--service", "compute"),
        ("rehearse", __file__),
    ],
)
def test_words_that_mean_nothing_are_refused(files, personas, words):  # noqa: F811
    with pytest.raises(CommandError):
        said(*words)


@pytest.fixture
def recorder(monkeypatch):
    found = records.Recorder()
    monkeypatch.setattr(records, "_recorder", found)
    return found


def test_alike_decisions_are_one_row_with_a_count_and_no_more_than_ids(personas, recorder):  # noqa: F811
    for _time in range(3):
        personas.reader.api.get("/compute/v2.1/servers")
        recorder.write()
    row = PolicyRecord.objects.get(rule="os_compute_api:servers:index")
    assert (row.count, row.allowed) == (3, True)
    assert set(row.caller) == {"user_id", "user_domain_id", "project_id", "project_domain_id", "roles"}
    assert personas.reader.token not in str(PolicyRecord.objects.values_list())


def test_more_kinds_than_fit_are_dropped_and_counted(recorder, monkeypatch, caplog):
    monkeypatch.setattr(records, "MOST_AT_ONCE", 2)
    for number in range(4):
        records.note(RequestContext(user_id=str(number)), "t:rule", {}, True)
    assert recorder.write() == 2
    assert "2 decisions were not recorded" in caplog.text


def use(personas):  # noqa: F811
    """People at work: some pass, some are refused."""
    server = ServerFactory(project_id=personas.lab.pk, user_id=personas.member.user.pk)
    for person in (personas.reader, personas.member, personas.admin, personas.stranger):
        person.api.get("/compute/v2.1/servers")
        person.api.get(f"/compute/v2.1/servers/{server.pk}")
        person.api.get("/identity/v3/users")
        person.api.post(f"/compute/v2.1/servers/{server.pk}/action", {"os-stop": None})


@pytest.mark.parametrize("service", SERVICES)
def test_rehearsing_what_holds_finds_no_difference(files, personas, recorder, tmp_path, hosts, service):  # noqa: F811
    use(personas)
    recorder.write()
    same = tmp_path / "same.json"
    same.write_text(said("sample", service, format="json"))
    assert said("rehearse", str(same), service=service) == (
        "0 requests by 0 people would be newly refused\n0 requests by 0 people would be newly let in\n"
    )


def test_rehearsing_names_who_would_be_refused_and_who_let_in(files, personas, recorder, tmp_path, hosts, caplog):  # noqa: F811
    use(personas)
    recorder.write()
    new = tmp_path / "new.yaml"
    new.write_text(
        yaml.safe_dump({"os_compute_api:servers:index": "role:admin", "os_compute_api:servers:stop": "role:reader"})
    )
    found = said("rehearse", str(new))
    assert "3 requests by 3 people would be newly refused" in found
    assert "1 os_compute_api:servers:index  reader in lab" in found
    assert "1 os_compute_api:servers:stop  reader in lab" in found
    new.write_text('{"os_compute_api:servers:strat": "role:admin", "os_compute_api:servers:stop": ""}')
    assert said("rehearse", str(new)).startswith("problem: rule os_compute_api:servers:strat is not known here")
    new.write_text("{")
    with pytest.raises(CommandError):
        said("rehearse", str(new), service="compute")
    assert "Policy of" not in caplog.text, "the file that rules is good"


def test_old_records_are_forgotten(personas, recorder):  # noqa: F811
    AssignmentFactory()
    personas.reader.api.get("/compute/v2.1/servers")
    recorder.write()
    PolicyRecord.objects.update(day="2020-01-01")
    assert records.sweep() > 0
    assert not PolicyRecord.objects.exists()


def test_a_broken_file_is_told_on_the_health_page_and_on_the_administration_site(files, personas, client):  # noqa: F811
    files["compute"].write_text("{")
    assert client.get("/healthz").json()["policy_problems"] == ["compute"]
    page = personas.admin.sign_in(client).get("/admin/").content.decode()
    assert "Policy of compute" in page
    files["compute"].write_text("{}")
    assert client.get("/healthz").json()["policy_problems"] == []
    assert "Policy of compute" not in client.get("/admin/").content.decode()
