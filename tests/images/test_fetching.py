"""Addresses that users name: which are asked, which are not, and what the other side may do to us."""

import ssl
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from images import fetching
from images.fetching import FetchFailed, FetchRefused
from images.stores.base import chunks_of
from images.stores.http import HttpStore
from portal.settings.images import FETCH
from tests.images import web

LINK_LOCAL = "http://169.254.169.254/latest/meta-data"


@pytest.fixture(autouse=True)
def _loopback_may_be_asked(settings):
    settings.IMAGE_FETCH = web.rules()


@pytest.fixture
def names(monkeypatch):
    return web.Names(monkeypatch)


def body_of(address):
    fetched = fetching.fetch(address)
    try:
        return b"".join(fetched.chunks())
    finally:
        fetched.close()


def test_bytes_are_fetched():
    with web.serving(web.of(b"abc" * 1_000_000)) as port:
        assert fetching.fetch(f"http://127.0.0.1:{port}/file?x=1#part").size == 3_000_000
        assert body_of(f"http://127.0.0.1:{port}/file") == b"abc" * 1_000_000


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ftp://example.org/x", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://example.org", "scheme"),
        ("http:///x", "host"),
        ("http://user:secret@example.org/", "credentials"),
        ("http://example.org@127.0.0.1/", "credentials"),
        ("http://example.org:22/", "port"),
        ("http://example.org:99999/", "port"),
        ("http://example.org/\r\nHost: inside", "printable"),
        ("http://example.org/ x", "printable"),
        ("http://example.org\\@inside/", "printable"),
        ("http://exämple.org/", "printable"),
        ("http://example.org%00.inside/", "host"),
        ("http://127.0.0.1/", "public"),
        ("http://127.1/", "usual form"),
        ("http://2130706433/", "usual form"),
        ("http://0x7f000001/", "usual form"),
        ("http://0177.0.0.1/", "usual form"),
        ("http://0/", "usual form"),
        ("http://0.0.0.0/", "public"),
        ("http://10.1.2.3/", "public"),
        ("http://172.16.0.1/", "public"),
        ("http://192.168.0.1/", "public"),
        ("http://100.64.0.1/", "public"),
        (LINK_LOCAL, "public"),
        ("http://224.0.0.1/", "public"),
        ("http://240.0.0.1/", "public"),
        ("http://255.255.255.255/", "public"),
        ("http://[::1]/", "public"),
        ("http://[::]/", "public"),
        ("http://[fe80::1]/", "public"),
        ("http://[fc00::1]/", "public"),
        ("http://[ff02::1]/", "public"),
        ("http://[::ffff:127.0.0.1]/", "public"),
        ("http://[::ffff:a9fe:a9fe]/", "public"),
        ("http://[::127.0.0.1]/", "public"),
        ("http://[64:ff9b::7f00:1]/", "public"),
        ("http://[2002:7f00:1::]/", "public"),
        ("http://[fe80::1%25lo]/", "host"),
        ("http://" + "a" * 2048, "printable"),
        (None, "printable"),
    ],
)
def test_an_address_that_leads_inside_is_refused_unasked(settings, names, address, words):
    settings.IMAGE_FETCH = FETCH
    with pytest.raises(FetchRefused, match=words) as refusal:
        fetching.fetch(address)
    assert names.asked == []
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "address", ["http://8.8.8.8/", "http://[::ffff:8.8.8.8]/", "https://example.org:443/x", "http://a-b.c.org."]
)
def test_a_public_address_passes(settings, address):
    settings.IMAGE_FETCH = FETCH
    assert fetching.check(address).port in (80, 443)


def test_lists_of_the_operator_hold(settings):
    settings.IMAGE_FETCH = {**FETCH, "allowed_hosts": ["good.org", "bad.org"], "disallowed_hosts": ["bad.org"]}
    assert fetching.check("http://GOOD.org/").host == "good.org"
    for address in ("http://bad.org/", "http://other.org/", "http://sub.good.org/"):
        with pytest.raises(FetchRefused, match="is not allowed"):
            fetching.check(address)
    settings.IMAGE_FETCH = {**FETCH, "allowed_ports": [], "disallowed_ports": [8080], "disallowed_schemes": ["http"]}
    assert fetching.check("https://example.org:9999/").port == 9999
    for address in ("http://example.org/", "https://example.org:8080/"):
        with pytest.raises(FetchRefused):
            fetching.check(address)


@pytest.mark.parametrize("inside", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
def test_a_name_that_leads_inside_is_refused(settings, names, inside):
    settings.IMAGE_FETCH = FETCH
    names.answers["evil.org"] = [inside]
    with pytest.raises(FetchRefused, match="not public"):
        fetching.fetch("http://evil.org/")


def test_a_name_that_nobody_has_fails():
    with pytest.raises(FetchFailed, match="There is no host"):
        fetching.fetch("http://does-not.exist/")


def test_the_checked_address_is_the_one_that_is_asked(names):
    names.answers["two-faced.org"] = ["127.0.0.1", "169.254.169.254"]
    with web.serving(web.of(b"abc")) as port:
        assert body_of(f"http://two-faced.org:{port}/") == b"abc"
    assert names.asked == ["two-faced.org"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("onward", [LINK_LOCAL, "http://10.0.0.1/", "file:///etc/passwd", "//user:pw@example.org/"])
def test_a_redirect_passes_the_same_checks(status, onward):
    with web.serving(web.leading_to(onward, status)) as port, pytest.raises(FetchRefused):
        fetching.fetch(f"http://127.0.0.1:{port}/")


def test_a_redirect_to_a_name_that_leads_inside_is_refused(names):
    names.answers["evil.org"] = ["169.254.169.254"]
    with web.serving(web.leading_to("http://evil.org/")) as port, pytest.raises(FetchRefused, match="not public"):
        fetching.fetch(f"http://127.0.0.1:{port}/")


def test_a_redirect_to_what_is_no_address_is_refused():
    with web.serving(web.leading_to("http://[")) as port, pytest.raises(FetchRefused, match="malformed"):
        fetching.fetch(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "head", [b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n", b"x" * 70000]
)
def test_an_answer_that_is_no_http_is_a_failure(head):
    with web.serving(lambda request: request.wfile.write(head)) as port, pytest.raises(FetchFailed, match="does not answer"):
        fetching.fetch(f"http://127.0.0.1:{port}/")


def test_redirects_end_somewhere():
    with web.serving(web.of(b"abc")) as end, web.serving(web.leading_to(f"http://127.0.0.1:{end}/")) as port:
        assert body_of(f"http://127.0.0.1:{port}/") == b"abc"
    with web.serving(web.leading_to("/again")) as port, pytest.raises(FetchFailed, match="too many"):
        fetching.fetch(f"http://127.0.0.1:{port}/")


def test_proxies_of_the_environment_are_not_asked(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    with web.serving(web.of(b"abc")) as port:
        assert body_of(f"http://127.0.0.1:{port}/") == b"abc"


def test_nothing_compressed_is_asked_for_or_taken():
    seen = []

    def answer(request):
        seen.append(request.headers["Accept-Encoding"])
        web.of(b"\x1f\x8b", Content_Encoding="gzip")(request)

    with web.serving(answer) as port, pytest.raises(FetchFailed, match="compressed"):
        fetching.fetch(f"http://127.0.0.1:{port}/")
    assert seen == ["identity"]


@pytest.mark.parametrize("status", [204, 404, 500])
def test_another_status_is_a_failure(status):
    with web.serving(web.leading_to("/", status)) as port, pytest.raises(FetchFailed, match=str(status)):
        fetching.fetch(f"http://127.0.0.1:{port}/")


def test_a_body_that_ends_early_is_a_failure():
    def answer(request):
        request.send_response(200)
        request.send_header("Content-Length", "10")
        request.end_headers()
        request.wfile.write(b"abc")

    with web.serving(answer) as port, pytest.raises(FetchFailed, match="stopped arriving"):
        body_of(f"http://127.0.0.1:{port}/")


def test_a_body_that_stands_still_is_a_failure(settings):
    settings.IMAGE_FETCH = web.rules(idle_timeout_s=1)

    def answer(request):
        request.send_response(200)
        request.send_header("Content-Length", "10")
        request.end_headers()
        request.wfile.write(b"abc")
        request.wfile.flush()
        time.sleep(3)

    with web.serving(answer) as port, pytest.raises(FetchFailed, match="stopped"):
        body_of(f"http://127.0.0.1:{port}/")


def test_a_body_that_crawls_is_a_failure(monkeypatch):
    monkeypatch.setattr(fetching, "GRACE_S", 0.3)

    def answer(request):
        request.send_response(200)
        request.end_headers()
        for _each in range(100):
            request.wfile.write(b"x")
            request.wfile.flush()
            time.sleep(0.1)

    with web.serving(answer) as port, pytest.raises(FetchFailed, match="slower"):
        body_of(f"http://127.0.0.1:{port}/")


def test_a_head_that_crawls_is_a_failure(settings, monkeypatch):
    monkeypatch.setattr(fetching, "CONNECT_S", 0.2)
    settings.IMAGE_FETCH = web.rules(idle_timeout_s=1)

    def answer(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _each in range(100):
            request.wfile.write(b"x")
            request.wfile.flush()
            time.sleep(0.1)

    began = time.monotonic()
    with web.serving(answer) as port, pytest.raises(FetchFailed):
        fetching.fetch(f"http://127.0.0.1:{port}/")
    assert time.monotonic() - began < 5


@pytest.fixture
def certified(tmp_path, monkeypatch):
    """A server's TLS for good.test, which this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "good.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("good.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "good.pem"
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_the_certificate_must_be_the_names(names, certified):
    names.answers |= {"good.test": ["127.0.0.1"], "other.test": ["127.0.0.1"]}
    with web.serving(web.of(b"abc"), certified) as port:
        assert body_of(f"https://good.test:{port}/") == b"abc"
        for address in (f"https://other.test:{port}/", f"https://127.0.0.1:{port}/"):
            with pytest.raises(FetchFailed):
                fetching.fetch(address)


def test_a_redirect_never_leaves_tls(names, certified):
    names.answers["good.test"] = ["127.0.0.1"]
    with (
        web.serving(web.leading_to("http://127.0.0.1:1/"), certified) as port,
        pytest.raises(FetchRefused, match="https to http"),
    ):
        fetching.fetch(f"https://good.test:{port}/")


def test_the_store_of_addresses_reads_in_order_and_by_jumps():
    content = bytes(range(256)) * 20_000
    with web.serving(web.of(content)) as port:
        reader = HttpStore("web").open(f"http://127.0.0.1:{port}/")
        assert b"".join(chunks_of(reader)) == content
        assert reader.read(len(content), 9) == b""
        assert reader.read(1000, 7) == content[1000:1007]
        reader.close()
