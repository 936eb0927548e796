"""EC2 key pairs, and tokens for requests signed with them. Signatures are held against AWS's published examples."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache

from accounts.models import Assignment, Credential, Project, User
from accounts.services import signatures, tokens, vault
from accounts.services.signatures import Malformed, SignedRequest
from tests.accounts.factories import ProjectFactory
from tests.kit.identity import Api

pytestmark = pytest.mark.django_db

TOKENS = "/identity/v3/ec2tokens"
SECRET_2 = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SECRET_4 = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
EMPTY = hashlib.sha256(b"").hexdigest()


@pytest.fixture(autouse=True)
def _forgetful():
    cache.clear()


def address(person, access=None):
    path = f"/identity/v3/users/{person.user.pk}/credentials/OS-EC2"
    return path if access is None else f"{path}/{access}"


def make_pair(person, project):
    answer = person.api.post(address(person), {"tenant_id": project.pk})
    assert answer.status_code == 201, answer.content
    return answer.json()["credential"]


def stamp(at=None):
    return (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")


def signed_2(pair, at=None, secret=None, **changes):
    params = {
        "Action": "DescribeInstances",
        "AWSAccessKeyId": pair["access"],
        "SignatureMethod": "HmacSHA256",
        "SignatureVersion": "2",
        "Timestamp": (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Filter.1": "a b/c*~é",
    }
    request = {"host": "cloud.test:8788", "verb": "GET", "path": "/", "params": params}
    right = SignedRequest(**request, headers={}).signature(secret or pair["secret"])
    return {"access": pair["access"], "signature": right, **request, **changes}


def signed_4(pair, at=None, **changes):
    date = stamp(at)
    scope = f"{pair['access']}/{date[:8]}/RegionOne/ec2/aws4_request"
    headers = {
        "Host": "cloud.test",
        "X-Amz-Date": date,
        "X-Amz-Target": "one   two",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date;x-amz-target, Signature=0",
    }
    request = {"host": "cloud.test", "verb": "GET", "path": "/", "params": {"Action": "X"}, "headers": headers}
    request["body_hash"] = EMPTY
    right = SignedRequest(**request).signature(pair["secret"])
    return {"access": pair["access"], "signature": right, **request, **changes}


def ask(person, signed, name="credentials"):
    return person.api.post(TOKENS, {name: signed})


def test_version_2_is_computed_as_published():
    params = {
        "AWSAccessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "Action": "DescribeJobFlows",
        "SignatureMethod": "HmacSHA256",
        "SignatureVersion": "2",
        "Timestamp": "2011-10-03T15:19:30",
        "Version": "2009-03-31",
    }
    request = SignedRequest(host="elasticmapreduce.amazonaws.com", verb="GET", path="/", params=params, headers={})
    assert request.signature(SECRET_2) == "i91nKc4PWAt0JJIdXwz9HxZCJDdiy6cf/Mj6vPxyYIs="
    assert request.moment == datetime(2011, 10, 3, 15, 19, 30, tzinfo=UTC)


def test_version_4_is_computed_as_published():
    scope = "AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request"
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "Host": "iam.amazonaws.com",
        "X-Amz-Date": "20150830T123600Z",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=content-type;host;x-amz-date, Signature=0",
    }
    request = SignedRequest(
        host="iam.amazonaws.com",
        verb="GET",
        path="/",
        params={"Action": "ListUsers", "Version": "2010-05-08"},
        headers=headers,
        body_hash=EMPTY,
    )
    assert request.signature(SECRET_4) == "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    assert request.moment == datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


def test_version_4_in_the_query_is_computed_as_published():
    params = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request",
        "X-Amz-Date": "20130524T000000Z",
        "X-Amz-Expires": "86400",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": "whatever",
    }
    request = SignedRequest(
        host="examplebucket.s3.amazonaws.com",
        verb="GET",
        path="/test.txt",
        params=params,
        headers={},
        body_hash="UNSIGNED-PAYLOAD",
    )
    assert request.signature(SECRET_2) == "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"


def test_other_versions_are_not_known():
    for params in ({}, {"SignatureVersion": "1"}, {"SignatureVersion": "2", "SignatureMethod": "HmacSHA1"}):
        with pytest.raises(Malformed):
            SignedRequest(host="h", verb="GET", path="/", params=params, headers={}).signature("s")


def test_a_user_makes_sees_lists_and_deletes_key_pairs(personas):
    member = personas.member
    pair = make_pair(member, personas.lab)
    assert pair == {
        "access": pair["access"],
        "secret": pair["secret"],
        "user_id": member.user.pk,
        "tenant_id": personas.lab.pk,
        "trust_id": None,
        "links": {"self": f"http://testserver{address(member, pair['access'])}"},
    }
    assert member.api.get(address(member)).json()["credentials"] == [pair]
    assert member.api.get(address(member, pair["access"])).json()["credential"] == pair
    assert personas.admin.api.get(address(member)).json()["credentials"] == [pair]
    assert pair["secret"] not in Credential.objects.get().sealed
    assert member.api.delete(address(member, pair["access"])).status_code == 204
    assert member.api.get(address(member, pair["access"])).status_code == 404
    assert member.api.delete(address(member, pair["access"])).status_code == 404


def test_key_pairs_of_others_are_out_of_reach(personas):
    pair = make_pair(personas.member, personas.lab)
    stranger = personas.stranger.api
    for path in (address(personas.member), address(personas.member, pair["access"]), address(personas.member, "none")):
        assert stranger.get(path).status_code == 403
    assert stranger.delete(address(personas.member, pair["access"])).status_code == 403
    assert stranger.post(address(personas.member), {"tenant_id": personas.lab.pk}).status_code == 403
    assert stranger.get(address(personas.stranger, pair["access"])).status_code == 404
    assert personas.reader.api.post(address(personas.reader), {"tenant_id": personas.lab.pk}).status_code == 403


@pytest.mark.parametrize("body", [{}, [], {"tenant_id": 3}, {"tenant_id": None}, {"tenant_id": "\x00"}])
def test_a_key_pair_without_a_project_is_a_bad_request(personas, body):
    assert personas.member.api.post(address(personas.member), body).status_code == 400


@pytest.mark.parametrize("sign", [signed_2, signed_4])
@pytest.mark.parametrize("name", ["credentials", "credential", "ec2Credentials"])
def test_a_signed_request_becomes_a_token(personas, sign, name):
    pair = make_pair(personas.member, personas.lab)
    answer = ask(personas.service, sign(pair), name)
    assert answer.status_code == 200, answer.content
    token = answer.json()["token"]
    assert token["methods"] == ["ec2credential"]
    assert token["user"]["id"] == personas.member.user.pk
    assert token["project"]["id"] == personas.lab.pk
    assert "catalog" in token
    assert tokens.context_for_token(answer["X-Subject-Token"]).roles == {"member", "reader"}


def test_only_services_and_operators_may_ask(personas):
    pair = make_pair(personas.member, personas.lab)
    for who in ("reader", "member", "manager", "stranger", "nobody"):
        assert ask(getattr(personas, who), signed_2(pair)).status_code == 403
    assert Api().post(TOKENS, {"credentials": signed_2(pair)}).status_code == 401
    assert ask(personas.admin, signed_2(pair)).status_code == 200


def test_a_host_is_signed_with_or_without_its_port(personas):
    pair = make_pair(personas.member, personas.lab)
    assert ask(personas.service, signed_2(pair) | {"host": "CLOUD.test:8788"}).status_code == 200
    cache.clear()
    portless = signed_2(pair)
    bare = {**{key: portless[key] for key in ("verb", "path", "params")}, "host": "cloud.test"}
    portless["signature"] = SignedRequest(**bare, headers={}).signature(pair["secret"])
    assert ask(personas.service, portless).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"verb": "POST"},
        {"path": "/other"},
        {"host": "elsewhere.test"},
        {"signature": "0" * 44},
        {"signature": "é"},
        {"params": {"SignatureVersion": "2"}},
        {"params": {}},
    ],
)
def test_a_request_changed_after_signing_is_refused(personas, changes):
    """A04 of the threats."""
    pair = make_pair(personas.member, personas.lab)
    assert ask(personas.service, signed_2(pair, **changes)).status_code == 401


@pytest.mark.parametrize("header", ["Host", "X-Amz-Date", "X-Amz-Target"])
def test_one_signed_header_changed_is_refused(personas, header):
    """A04 of the threats."""
    pair = make_pair(personas.member, personas.lab)
    signed = signed_4(pair)
    signed["headers"] = {**signed["headers"], header: stamp(datetime.now(UTC) + timedelta(seconds=5))}
    assert ask(personas.service, signed).status_code == 401
    signed = signed_4(pair)
    del signed["headers"][header]
    assert ask(personas.service, signed).status_code == (200 if header == "Host" else 401)
    assert ask(personas.service, signed_4(pair, body_hash="0" * 64)).status_code == 401


@pytest.mark.parametrize("sign", [signed_2, signed_4])
def test_a_clock_16_minutes_off_is_refused(personas, sign):
    """A04 of the threats."""
    pair = make_pair(personas.member, personas.lab)
    for minutes, status in ((-16, 401), (16, 401), (-14, 200), (14, 200)):
        at = datetime.now(UTC) + timedelta(minutes=minutes)
        assert ask(personas.service, sign(pair, at=at)).status_code == status


@pytest.mark.parametrize("sign", [signed_2, signed_4])
def test_a_signature_is_good_once(personas, sign):
    """A04 of the threats."""
    signed = sign(make_pair(personas.member, personas.lab))
    assert ask(personas.service, signed).status_code == 200
    again = ask(personas.service, signed)
    assert again.status_code == 401
    assert "used before" in again.json()["error"]["message"]
    assert ask(personas.service, {**signed, "host": signed["host"].upper()}).status_code == 401


def test_a_key_pair_for_a_project_the_user_is_not_in_is_refused(personas):
    """A04 of the threats: neither by this call nor by the credential itself, and of no use when an operator made it."""
    member = personas.member
    assert member.api.post(address(member), {"tenant_id": personas.other.pk}).status_code == 403
    blob = '{"access": "A", "secret": "S"}'
    body = {"type": "ec2", "user_id": member.user.pk, "project_id": personas.other.pk, "blob": blob}
    assert member.api.post("/identity/v3/credentials", {"credential": body}).status_code == 403
    assert personas.admin.api.post("/identity/v3/credentials", {"credential": body}).status_code == 201
    assert ask(personas.service, signed_2({"access": "A", "secret": "S"})).status_code == 401


@pytest.mark.usefixtures("tokens_issued")
def test_a_key_pair_ends_with_what_it_stands_for(personas):
    pair = make_pair(personas.member, personas.lab)
    Project.objects.filter(pk=personas.lab.pk).update(enabled=False)
    somewhere = ProjectFactory()
    Assignment.objects.filter(user=personas.service.user).update(project=somewhere)
    service, _grant = tokens.issue(user=personas.service.user, methods=["password"], scope=tokens.Scope(project=somewhere))
    api = Api(service)
    assert api.post(TOKENS, {"credentials": signed_2(pair)}).status_code == 401
    Project.objects.filter(pk=personas.lab.pk).update(enabled=True)
    User.objects.filter(pk=personas.member.user.pk).update(enabled=False)
    assert api.post(TOKENS, {"credentials": signed_4(pair)}).status_code == 401
    User.objects.filter(pk=personas.member.user.pk).update(enabled=True)
    Assignment.objects.filter(user=personas.member.user).delete()
    assert api.post(TOKENS, {"credentials": signed_2(pair, at=datetime.now(UTC) - timedelta(seconds=9))}).status_code == 401


def test_unknown_and_unusable_key_pairs_look_like_a_wrong_signature(personas):
    pair = make_pair(personas.member, personas.lab)
    wrong = ask(personas.service, signed_2(pair, secret="another"))
    unknown = ask(personas.service, signed_2({"access": "nothing", "secret": "x"}))
    Credential.objects.update(sealed=vault.seal('{"access": "other", "secret": "x"}'))
    moved = ask(personas.service, signed_2({**pair, "secret": "x"}))
    assert wrong.status_code == unknown.status_code == moved.status_code == 401
    assert wrong.json() == unknown.json() == moved.json()


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"credentials": None},
        {"credentials": "x"},
        {"credentials": {"access": "x"}},
        {"credentials": {"access": "x", "signature": "y", "host": 3, "verb": "GET", "path": "/"}},
        {"credentials": {"access": "x", "signature": "y", "host": "h", "verb": "GET", "path": "/", "params": []}},
        {"credentials": {"access": "x", "signature": "y", "host": "h", "verb": "GET", "path": "/", "headers": {"a": 3}}},
    ],
)
def test_malformed_descriptions_are_bad_requests(personas, body):
    assert personas.service.api.post(TOKENS, body).status_code == 400


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=/, SignedHeaders=",
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host",
        "AWS4-HMAC-SHA256 Credential=a/20260101/r/s/aws4_request, SignedHeaders=x-amz-date",
    ],
)
def test_authorizations_that_say_too_little_are_refused(personas, authorization):
    signed = signed_4(make_pair(personas.member, personas.lab))
    signed["headers"]["Authorization"] = authorization
    assert ask(personas.service, signed).status_code == 401


def test_a_token_by_a_key_pair_makes_no_more_keys(personas):
    pair = make_pair(personas.member, personas.lab)
    api = Api(ask(personas.service, signed_2(pair))["X-Subject-Token"])
    assert api.get("/identity/v3/auth/projects").status_code == 200
    assert api.post(address(personas.member), {"tenant_id": personas.lab.pk}).status_code == 403
    assert api.get("/identity/v3/credentials").status_code == 403
    body = {"auth": {"identity": {"methods": ["token"], "token": {"id": api.token}}}}
    assert Api().post("/identity/v3/auth/tokens", body).status_code == 403


def test_a_text_signed_for_object_storage_becomes_a_token(personas):
    pair = make_pair(personas.member, personas.lab)

    def sent(at=None):
        date = stamp(at)
        text = f"AWS4-HMAC-SHA256\n{date}\n{date[:8]}/RegionOne/s3/aws4_request\n{'0' * 64}"
        token = base64.urlsafe_b64encode(text.encode()).decode()
        return {"access": pair["access"], "signature": signatures.signature_4(pair["secret"], text), "token": token}

    api, path = personas.service.api, "/identity/v3/s3tokens"
    good = sent()
    assert api.post(path, {"credentials": good}).json()["token"]["user"]["id"] == personas.member.user.pk
    assert api.post(path, {"credentials": good}).status_code == 401
    assert personas.member.api.post(path, {"credentials": sent()}).status_code == 403
    for bad in (
        {**sent(), "signature": "0" * 64},
        sent(datetime.now(UTC) - timedelta(minutes=16)),
        {**sent(), "token": "!"},
        {**sent(), "token": base64.urlsafe_b64encode(b"\xff\xfe").decode()},
        {**sent(), "token": base64.urlsafe_b64encode(b"GET\n\n\n\n/bucket").decode()},
    ):
        assert api.post(path, {"credentials": bad}).status_code == 401


def test_neither_secret_nor_signature_is_logged(personas, caplog):
    caplog.set_level("DEBUG")
    pair = make_pair(personas.member, personas.lab)
    signed = signed_2(pair)
    ask(personas.service, signed)
    ask(personas.service, signed)
    assert pair["secret"] not in caplog.text
    assert signed["signature"] not in caplog.text
