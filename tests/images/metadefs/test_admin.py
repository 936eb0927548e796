"""Metadata definitions on the operators' site: looked at there, changed over the API."""

import pytest

from tests.images.metadefs.factories import full_namespace

pytestmark = pytest.mark.django_db

LIST = "/admin/images/metadefnamespace/"


def test_only_operators_see_definitions(personas, client):
    assert personas.member.sign_in(client).get(LIST).status_code in (302, 403)


def test_definitions_are_shown_and_not_edited(personas, client):
    operator = personas.admin.sign_in(client)
    space = full_namespace(namespace="Shown")
    space.properties.update(schema={"title": "<b>Lowest", "type": "integer"})
    assert b"Shown" in operator.get(f"{LIST}?q=low").content
    page = operator.get(f"{LIST}{space.pk}/change/").content
    for part in (b"hw_", b"Limits", b"red", b"OS::Glance::Image"):
        assert part in page
    assert b"<b>Lowest" not in page
    assert operator.post(f"{LIST}{space.pk}/change/", {"namespace": "changed"}).status_code == 403
    assert operator.get(f"{LIST}add/").status_code == 403
    assert b"OS::Glance::Image" in operator.get("/admin/images/metadefresourcetype/").content
