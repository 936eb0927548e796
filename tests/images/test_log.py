"""API, registry and database of images in one log, told apart by their loggers and held together by the request's id."""

import pytest
from asgiref.sync import sync_to_async

from portal.core.log.context import ContextFilter
from tests.images.asgi import call, file_of
from tests.images.factories import ImageFactory


@pytest.fixture
def told(caplog):
    """What our own loggers say, with the request that each line belongs to."""
    filters = [lambda record: record.name.startswith(("images", "portal.core.statements", "nebulet")), ContextFilter("portal")]
    for each in filters:
        caplog.handler.addFilter(each)
    yield caplog
    for each in filters:  # the handler serves all tests
        caplog.handler.removeFilter(each)


@pytest.mark.django_db(transaction=True)
def test_api_registry_and_database_of_images_log_under_one_request(personas, told):
    answer = personas.member.api.post("/image/v2/images", {"name": "one"})

    ids = {record.name: record.request_id for record in told.records if record.service == "image"}
    names = ("images.api", "images.services.registry", "portal.core.statements", "nebulet.access")
    assert {ids[name] for name in names} == {answer["X-OpenStack-Request-ID"]}


@pytest.mark.django_db(transaction=True)
async def test_image_data_is_told_like_any_request(personas, told, store):
    image = await sync_to_async(ImageFactory)(owner=personas.lab.pk)
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"abc"])

    (entry,) = (record for record in told.records if record.name == "nebulet.access")
    assert (entry.service, entry.call["user"], entry.call["status"]) == ("image", personas.member.user.pk, 204)
    began = next(record for record in told.records if "begins" in record.getMessage())
    assert began.request_id == entry.request_id == answer.headers["x-openstack-request-id"]
