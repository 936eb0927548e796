"""The engine: defaults, overrides, broken files, words."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from time import sleep

import pytest
from oslo_policy import _parser

from portal.core.context import RequestContext
from portal.core.errors import Forbidden
from portal.core.policy import engine, words
from portal.core.policy.rules import Rule, registry

BASE = Rule("t:member", "role:member and project_id:%(project_id)s", "a member of its project", base=True)
READ = Rule("t:read", "rule:t:member", "Read a thing.")
OPEN = Rule("t:open", "", "Open to all.")


@pytest.fixture
def policy_file(tmp_path, settings):
    registry.register("testing", [BASE, READ, OPEN])
    path = tmp_path / "policy.json"
    settings.POLICY_FILES = {**settings.POLICY_FILES, "testing": path}
    engine.reset()
    yield path
    engine.reset()
    registry._services.pop("testing")


def member(project_id="p1"):
    return RequestContext(user_id="u", project_id=project_id, project_name="lab1", roles=frozenset({"member", "reader"}))


THING = {"project_id": "p1"}


def test_a_default_rule_holds_without_a_file(policy_file):
    assert engine.allowed(member(), READ, THING)
    assert not engine.allowed(member("p2"), READ, THING)


def test_editing_the_file_changes_the_answer_at_once(policy_file):
    assert engine.allowed(member(), READ, THING)
    policy_file.write_text(json.dumps({"t:read": "role:admin"}))
    assert not engine.allowed(member(), READ, THING)
    policy_file.unlink()
    assert engine.allowed(member(), READ, THING)


def test_a_broken_file_keeps_the_last_good_rules_and_is_named(policy_file):
    policy_file.write_text(json.dumps({"t:read": "role:admin"}))
    assert not engine.allowed(member(), READ, THING)
    policy_file.write_text('{"t:read": "role:member",')
    assert not engine.allowed(member(), READ, THING)
    assert str(policy_file) in engine.service_policy("testing").problems[0]


def test_a_rule_that_two_others_share_is_no_circle(policy_file):
    policy_file.write_text('{"t:read": "rule:a and rule:b", "a": "rule:c", "b": "not rule:c", "c": "role:x"}')
    assert not engine.allowed(member(), READ, THING)
    assert engine.service_policy("testing").problems == []


def test_a_misspelled_reference_refuses_and_is_named(policy_file):
    policy_file.write_text('{"t:read": "role:reader and rule:t:opem"}')
    assert not engine.allowed(member(), READ, THING)
    assert engine.service_policy("testing").problems == ["t:read: rule t:opem is not known here; did you mean t:open?"]


@pytest.mark.parametrize(
    "text",
    [
        '{"t:read": "role:admin or"}',
        '{"t:read": 3}',
        '{"t:read": "role:admin", 5: "role:member"}',
        "",
        '"x"',
        "[]",
        "0",
        "false",
    ],
)
def test_a_file_that_starts_broken_leaves_the_defaults(policy_file, text):
    policy_file.write_text(text)
    assert engine.allowed(member(), READ, THING)
    assert engine.service_policy("testing").problems


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"t:member": "rule:t:read"}, "rule t:member leads back to itself: t:member -> t:read -> t:member"),
        ({"t:read": "not (role:member and rule:t:read)"}, "leads back to itself"),
        ({"t:read": "rule:a", "a": "role:x or not rule:b", "b": "rule:a"}, "a -> b -> a"),
        ({"t:read": "user_id:%(project_id)d"}, "cannot be answered: user_id:%(project_id)d"),
        ({"t:read": "1a:%(project_id)s"}, "cannot be answered: 1a:%(project_id)s"),
        ({"t:read": "role:member or role:%(project_id)d"}, "cannot be answered: role:%(project_id)d"),
        ({"t:read": "role:admin or https://judge.example/%(project_id)s"}, "asks another server"),
    ],
)
def test_rules_that_could_never_be_answered_are_refused_with_the_whole_file(policy_file, changes, told):
    policy_file.write_text(json.dumps({"t:open": "!"}))
    assert not engine.allowed(member(), OPEN)
    policy_file.write_text(json.dumps(changes))
    assert engine.allowed(member(), READ, THING)
    assert not engine.allowed(member(), OPEN), "the last good file holds"
    assert told in engine.service_policy("testing").problems[0]


@pytest.mark.parametrize(
    ("check", "holds"),
    [
        ("'p1':%(project_id)s", True),
        ("True:%(shared)s", True),
        ("None:%(owner)s", True),
        ("5:%(size)s", True),
        ("'p2':%(project_id)s", False),
        ("project_id:p1", True),
        ("token.project.domain:%(project_id)s", False),
        ("project_id:%(missing)s", False),
    ],
)
def test_comparisons_mean_what_they_mean_in_openstack(policy_file, check, holds):
    policy_file.write_text(json.dumps({"t:read": check}))
    assert engine.allowed(member(), READ, THING | {"shared": True, "owner": None, "size": 5}) is holds


def test_yaml_is_read_too_and_unknown_names_are_reported_not_fatal(policy_file):
    policy_file.write_text('"t:read": "role:reader"\n"t:other": "role:admin"\n')
    assert engine.allowed(member("p2"), READ, THING)
    assert engine.service_policy("testing").problems == ["rule t:other is not known here; did you mean t:open?"]


@pytest.mark.parametrize("text", ["{}", "# nothing is changed\n", "---\n"])
def test_a_file_that_changes_nothing_is_no_problem(policy_file, text):
    policy_file.write_text(text)
    assert engine.allowed(member(), READ, THING)
    assert engine.service_policy("testing").problems == []


def test_a_permission_that_there_is_not_is_named(policy_file):
    policy_file.write_text('{"t:read": "role:admin or guardian:images.view_imag", "t:open": "guardian:images.view_image"}')
    assert not engine.allowed(member(), READ, THING)
    told = "t:read: permission images.view_imag is not known here; did you mean images.view_image?"
    assert engine.service_policy("testing").problems == [told]


def test_an_unknown_rule_denies(policy_file):
    stranger = Rule("t:nobody-declared", "")
    assert not engine.allowed(member(), stranger)
    assert "does not exist" in engine.decide(member(), stranger).reason


def test_a_refusal_says_who_you_are_and_what_it_needs(policy_file):
    decision = engine.decide(member("p2"), READ, THING)
    assert decision.reason == "You are member in lab1. This needs: a member of its project."


@pytest.mark.parametrize(
    ("check", "needs"),
    [
        ("domain_id:%(target.user.domain_id)s", "that it belongs to your domain"),
        ("None:%(target.role.domain_id)s", "that its domain_id is None"),
        ("'public':%(visibility)s", "that its visibility is public"),
        ("project_domain_id:%(target.domain.id)s", "that its id is your project_domain_id"),
    ],
)
def test_what_a_rule_compares_is_said_in_words(check, needs):
    assert words.needs(_parser.parse_rule(check), {}) == needs


IN_LAB1 = "Whoever may assign the role {} in project lab1 can give it to you."


@pytest.mark.parametrize(
    ("check", "remedy"),
    [
        ("role:admin", IN_LAB1.format("admin")),
        ("role:admin or role:auditor", IN_LAB1.format("auditor")),
        ("role:admin or (role:manager and project_id:%(project_id)s)", IN_LAB1.format("manager")),
        ("rule:t:member and role:manager", IN_LAB1.format("manager")),
        ("role:admin or (role:manager and project_id:%(owner)s)", ""),
        ("role:admin or user_id:%(user_id)s", ""),
        ("role:admin or guardian:t.read", ""),
        ("role:member and role:a and role:b", ""),
        ("role:reader and system_scope:all", ""),
        ("role:service", ""),
        ("not role:member", ""),
        ("role:%(user_id)s", ""),
        ("!", ""),
    ],
)
def test_a_remedy_is_promised_only_where_a_role_is_what_is_missing(policy_file, check, remedy):
    policy_file.write_text(json.dumps({"t:read": check}))
    decision = engine.decide(member(), READ, THING | {"owner": "p2", "user_id": "other"})
    assert not decision.allowed
    assert decision.remedy == remedy


def test_a_remedy_names_the_scope_in_which_the_role_is_missing(policy_file):
    policy_file.write_text('{"t:read": "role:manager"}')
    place = RequestContext(user_id="u", domain_id="d1", domain_name="north", roles=frozenset({"reader"}))
    assert "the role manager in domain north" in engine.decide(place, READ).remedy
    assert "the role manager on the system" in engine.decide(RequestContext(user_id="u", system_scope="all"), READ).remedy


@pytest.mark.parametrize(
    "lent", [{"project_id": None}, {"application_credential_id": "a"}, {"trust_id": "t"}, {"restricted": True}]
)
def test_no_role_helps_who_works_nowhere_or_by_what_was_lent(policy_file, lent):
    policy_file.write_text('{"t:read": "role:manager"}')
    assert engine.decide(member(), READ).remedy
    assert engine.decide(replace(member(), **lent), READ).remedy == ""


def test_words_are_found_only_for_a_refusal_that_is_told(policy_file, caplog):
    with caplog.at_level("INFO", engine.LOG.name):
        decisions = [engine.decide(member("p2"), READ, THING) for _row in range(3)]
    assert str(decisions[0].reason)
    assert ["reason" in vars(decision) for decision in decisions] == [True, False, False]


def test_authorize_raises_with_the_rules_name(policy_file):
    engine.authorize(member(), OPEN)
    with pytest.raises(Forbidden) as refused:
        engine.authorize(member("p2"), READ, THING)
    assert refused.value.rule == "t:read"
    assert refused.value.message.startswith("Policy doesn't allow t:read to be performed. You are member in lab1.")
    assert "t:read" in refused.value.message


class SlowPolicy(engine.ServicePolicy):
    """Takes its time to read, so that threads meet."""

    def _defaults(self):
        sleep(0.05)
        return super()._defaults()


def test_threads_that_ask_first_all_get_the_rules(policy_file):
    """Two requests at the start of a process: neither may meet rules that are not read yet."""
    live, gate = SlowPolicy("testing", policy_file), Barrier(4)

    def ask():
        gate.wait()
        return live.check(OPEN.name, {}, member().credentials())

    with ThreadPoolExecutor(4) as pool:
        assert all(future.result() for future in [pool.submit(ask) for _thread in range(4)])
