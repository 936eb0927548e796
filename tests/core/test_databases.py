"""What Nebulet takes for granted of a database: asked of SQLite, PostgreSQL and MariaDB."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import DataError, IntegrityError, connection, models, transaction
from django.db.models import F

from accounts.models import Domain, User
from accounts.services import quotas
from portal.core.api.paging import after_marker
from portal.settings.databases import database
from tests.accounts.factories import UserFactory

pytestmark = pytest.mark.django_db

ALIKE = (
    "lab",
    "Lab",
    "LAB",
    "láb",
    "la\u0301b",
    "lab ",
    " lab",
    "lab\t",
    "ｌａｂ",
    "lаb",
    "labß",
    "labss",
    "lab\u200b",
    "lab🙂",
    "lab🙃",
)


@pytest.fixture
def alike(db) -> None:
    """Domains whose names are the same to a careless eye, and to careless collations."""
    for number, name in enumerate(ALIKE):
        Domain.objects.create(pk=f"d{number:02}", name=name)


def names(rows) -> set[str]:
    return set(rows.values_list("name", flat=True)) & set(ALIKE)


@pytest.mark.parametrize("name", ALIKE)
def test_a_name_finds_itself_alone(alike, name):
    assert names(Domain.objects.filter(name=name)) == {name}
    assert names(Domain.objects.filter(name__in=[name])) == {name}
    assert names(Domain.objects.exclude(name=name)) == {*ALIKE} - {name}


@pytest.mark.parametrize("name", ALIKE)
def test_a_name_is_taken_once(alike, name):
    with pytest.raises(IntegrityError), transaction.atomic():
        Domain.objects.create(pk="again", name=name)


def test_ids_tell_case_too(db):
    Domain.objects.create(pk="abc", name="one")
    Domain.objects.create(pk="ABC", name="two")
    assert Domain.objects.get(pk="ABC").name == "two"


def test_names_alike_are_counted_apart(alike):
    counted = Domain.objects.filter(pk__startswith="d").values("name").annotate(rows=models.Count("pk")).order_by()
    assert {row["name"]: row["rows"] for row in counted if row["name"] in ALIKE} == dict.fromkeys(ALIKE, 1)


@pytest.mark.parametrize(
    ("lookup", "found"),
    [
        ("contains", {"Lab"}),
        ("startswith", {"Lab"}),
        ("icontains", {"lab", "Lab", "LAB", "lab ", " lab", "lab\t", "labß", "labss", "lab\u200b", "lab🙂", "lab🙃"}),
        ("istartswith", {"lab", "Lab", "LAB", "lab ", "lab\t", "labß", "labss", "lab\u200b", "lab🙂", "lab🙃"}),
        ("iexact", {"lab", "Lab", "LAB"}),
        ("endswith", {"Lab"}),
        ("iendswith", {"lab", "Lab", "LAB", " lab"}),
    ],
)
def test_parts_of_names_tell_case_where_they_say_so(alike, lookup, found):
    assert names(Domain.objects.filter(**{f"name__{lookup}": "Lab"})) == found


@pytest.mark.parametrize("lookup", ["contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"])
@pytest.mark.parametrize("sign", ["%", "_", "\\", "*", "?", "[", "'", '"'])
def test_no_sign_is_a_wildcard(db, lookup, sign):
    Domain.objects.create(pk="plain", name="axa")
    Domain.objects.create(pk="sign", name=sign)
    assert list(Domain.objects.filter(**{f"name__{lookup}": sign}).values_list("pk", flat=True)) == ["sign"]
    assert Domain.objects.filter(**{f"name__{lookup}": ""}).count() == Domain.objects.count()


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [1, 2, 7])
def test_pages_by_name_have_every_row_once(alike, size, descending):
    order = [("name", descending), ("id", descending)]
    rows = Domain.objects.all()
    seen: list[Domain] = []
    while page := list(after_marker(rows, seen[-1] if seen else None, order)[:size]):
        seen += page
    assert [row.pk for row in seen] == [row.pk for row in after_marker(rows, None, order)]
    assert len({row.pk for row in seen}) == len(seen) == rows.count()


def test_what_does_not_fit_is_refused_and_not_cut(db):
    if connection.vendor == "sqlite":  # takes any length: there the serializers alone keep it
        Domain.objects.create(pk="long", name="x" * 100)
        assert len(Domain.objects.get(pk="long").name) == 100
        return
    with pytest.raises(DataError), transaction.atomic():
        Domain.objects.create(pk="long", name="x" * 100)


def test_a_row_that_is_there_is_left_as_it_is(db):
    Domain.objects.create(pk="here", name="first")
    Domain.objects.bulk_create([Domain(pk="here", name="second"), Domain(pk="new", name="third")], ignore_conflicts=True)
    assert dict(Domain.objects.filter(pk__in=["here", "new"]).values_list("pk", "name")) == {"here": "first", "new": "third"}


def test_an_update_counts_the_rows_it_matched_even_when_nothing_changes(db):
    Domain.objects.create(pk="here", name="same")
    assert Domain.objects.filter(pk="here", name="same").update(name="same") == 1
    assert Domain.objects.filter(pk="here", name="SAME").update(name="same") == 0


def test_an_update_reads_the_old_values(db):
    Domain.objects.create(pk="here", name="a", description="b")
    Domain.objects.filter(pk="here").update(name=F("description"), description=F("name"))
    swapped = Domain.objects.get(pk="here")
    assert (swapped.name, swapped.description) == ("b", "a")


def test_documents_come_back_as_they_were(db):
    document = {"Key": [1, 1.5, None, True, {"ß🙂": "\\\"'%"}], "key": "x " * 1000, "": {}}
    Domain.objects.create(pk="here", name="n", extra=document)
    assert Domain.objects.get(pk="here").extra == document


def test_times_keep_their_microseconds(db):
    exact = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
    user = UserFactory(created_at=exact)
    assert User.objects.get(pk=user.pk, created_at=exact).created_at == exact


@pytest.mark.django_db(transaction=True)
def test_a_lock_of_a_project_lets_one_through_at_a_time():
    """Also the first ones, who make the row that they wait for: no deadlock, and nothing counted twice."""
    counts = dict.fromkeys(("p1", "p2", "p3"), 0)

    def count(project_id: str) -> None:
        try:
            with transaction.atomic():
                quotas.lock(project_id)
                before = counts[project_id]
                connection.cursor().execute("SELECT 1")
                counts[project_id] = before + 1
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, itertools.islice(itertools.cycle(counts), 90)))
    assert counts == dict.fromkeys(counts, 30)


def test_no_model_needs_what_a_database_lacks(db):
    """No constraint is passed over with a warning, and the migrations say what the models say."""
    call_command("check", databases=["default"], fail_level="WARNING")
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize(
    ("url", "engine"),
    [
        ("sqlite:////srv/nebulet.sqlite3", "portal.core.sqlite"),
        ("postgres://nebulet:s%2Fcret@db.example/nebulet", "portal.core.postgresql"),
        ("postgres://nebulet:s%2Fcret@db1.example,db2.example/nebulet", "portal.core.postgresql"),
        ("mysql://nebulet:s%2Fcret@db.example:3307/nebulet", "portal.core.mariadb"),
    ],
)
def test_an_address_names_the_backend(url, engine):
    found = database(url)
    assert found["ENGINE"] == engine
    assert found["PASSWORD"] in ("", "s/cret")
    assert found["CONN_HEALTH_CHECKS"]


def test_a_comma_in_a_password_makes_no_several_servers():
    found = database("postgres://nebulet:a,b@db.example/nebulet")
    assert (found["HOST"], found["PASSWORD"]) == ("db.example", "a,b")
    found = database("postgres://nebulet:a,b@db1.example,db2.example/nebulet")
    assert (found["OPTIONS"]["host"], found["PASSWORD"]) == ("db1.example,db2.example", "a,b")


@pytest.mark.parametrize(
    ("address", "hosts", "ports"),
    [
        ("postgres://nebulet@db1.example:5433,db2.example:5434/nebulet", "db1.example,db2.example", "5433,5434"),
        ("postgres://nebulet@db1.example,[2001:db8::1]:5434/nebulet", "db1.example,2001:db8::1", ",5434"),
        ("postgres://db1.example,db2.example:5433/nebulet?user=nebulet", "db1.example,db2.example", ",5433"),
        ("postgresql://nebulet@/nebulet?host=db1.example,db2.example&port=1,2", "db1.example,db2.example", "1,2"),
    ],
)
def test_an_address_may_name_several_servers_of_which_one_takes_writes(address, hosts, ports):
    found = database(address)
    options = found["OPTIONS"]
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("", "", "nebulet")
    assert "nebulet" in (found["USER"], options.get("user"))
    assert (options["host"], options["port"], options["target_session_attrs"]) == (hosts, ports, "read-write")
    assert (
        database(f"{address}{'&' if '?' in address else '?'}target_session_attrs=any")["OPTIONS"]["target_session_attrs"]
        == "any"
    )


@pytest.mark.parametrize("longer", ["", "y" * 20_000])
def test_a_statement_means_the_same_every_time(db, longer):
    for value in ("a", "%s", "?", longer):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT %s, '100%%', '{longer}'", [value])
            assert tuple(cursor.fetchone()) == (value, "100%", longer)
