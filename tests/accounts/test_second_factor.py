"""The second factor: one-time passwords and recovery codes."""

import time
from base64 import b32decode
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.core.cache import cache

from accounts.models import Credential, RecoveryCode
from accounts.services import once, second_factor, vault
from portal.core.errors import BadRequest, Unavailable
from tests.accounts.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forgetful():
    cache.clear()


def code_of(seed, steps=0):
    """Return what a device with this seed shows, now or some steps of the clock away."""
    key = b32decode(seed + "=" * (-len(seed) % 8))
    return TOTP(key, 6, SHA1(), 30).generate(time.time() + 30 * steps).decode()


def wrong(seed):
    near = {code_of(seed, steps) for steps in range(-3, 4)}
    return next(text for text in (f"{number:06}" for number in range(10)) if text not in near)


@pytest.fixture
def enrolled():
    """Return a user, his seed and his recovery codes; the code that enrolled him is of the step before."""
    user = UserFactory()
    seed = second_factor.enrol(user=user).seed
    return user, seed, second_factor.confirm(user=user, seed=seed, code=code_of(seed, -1))


def test_enrolling_gives_a_seed_and_an_address_for_apps():
    user = UserFactory(name="ada")
    found = second_factor.enrol(user=user)
    assert len(b32decode(found.seed)) == 20
    assert found.uri.startswith("otpauth://totp/Nebulet:ada?")
    assert f"secret={found.seed}" in found.uri
    assert not second_factor.is_enrolled(user)


def test_a_wrong_code_does_not_enrol():
    user = UserFactory()
    seed = second_factor.enrol(user=user).seed
    for text in (wrong(seed), "", "abcdef", "１２３４５６", "0" * 5000):
        with pytest.raises(BadRequest):
            second_factor.confirm(user=user, seed=seed, code=text)
    with pytest.raises(BadRequest):
        second_factor.confirm(user=user, seed="not base32!", code="123456")
    assert not second_factor.is_enrolled(user)


def test_a_code_works_once_and_within_one_step(enrolled):
    user, seed, _codes = enrolled
    assert not second_factor.verify(user=user, code=code_of(seed, -1))
    assert second_factor.verify(user=user, code=code_of(seed))
    assert not second_factor.verify(user=user, code=code_of(seed))
    assert second_factor.verify(user=user, code=code_of(seed, 1))
    assert not second_factor.verify(user=user, code=code_of(seed, 3))
    assert not second_factor.verify(user=UserFactory(), code=code_of(seed))


def test_recovery_codes_work_once_each(enrolled):
    user, seed, codes = enrolled
    assert len(set(codes)) == 10
    assert second_factor.verify(user=user, code=codes[0])
    assert not second_factor.verify(user=user, code=codes[0])
    assert second_factor.verify(user=user, code=f" {codes[1].upper().replace('-', '')} ")
    other = UserFactory()
    second_factor.confirm(user=other, seed=seed, code=code_of(seed))
    assert not second_factor.verify(user=other, code=codes[2])
    fresh = second_factor.new_recovery_codes(user=user)
    assert not second_factor.verify(user=user, code=codes[3])
    assert second_factor.verify(user=user, code=fresh[3])


def test_neither_seed_nor_codes_lie_in_clear(enrolled, caplog):
    user, seed, codes = enrolled
    row = Credential.objects.get(user=user)
    assert seed not in row.sealed
    assert vault.unseal(row) == seed
    kept = "".join(RecoveryCode.objects.values_list("code_hash", flat=True))
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    caplog.set_level("DEBUG")
    second_factor.verify(user=user, code=codes[0])
    second_factor.verify(user=user, code=wrong(seed))
    assert not any(text in caplog.text for text in (seed, codes[0], wrong(seed)))


def test_six_digits_cannot_be_tried_out(enrolled):
    user, seed, codes = enrolled
    for _try in range(second_factor.TRIES):
        assert not second_factor.verify(user=user, code=wrong(seed), alone=True)
    assert not second_factor.verify(user=user, code=code_of(seed), alone=True)
    assert second_factor.verify(user=user, code=code_of(seed))  # a stranger's tries do not count against the owner
    for _try in range(second_factor.TRIES):
        assert not second_factor.verify(user=user, code=wrong(seed))
    assert not second_factor.verify(user=user, code=code_of(seed, 1))
    assert second_factor.verify(user=user, code=codes[0])


def test_while_the_cache_is_away_no_code_is_good_and_nothing_breaks(enrolled, settings):
    user, seed, codes = enrolled
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:9/0"}
    }
    with pytest.raises(Unavailable):
        second_factor.verify(user=user, code=code_of(seed))
    assert second_factor.verify(user=user, code=codes[0])


def test_many_at_once_win_once(enrolled):
    user, seed, _codes = enrolled
    code = code_of(seed)
    with ThreadPoolExecutor(8) as pool:
        steps = list(pool.map(lambda _number: once.use_up(f"test:{code}", 60), range(200)))
        tries = list(pool.map(lambda _number: once.count(f"tries:{user.pk}", 60), range(200)))
    assert sum(steps) == 1
    assert sorted(tries) == list(range(1, 201))


def test_enrolling_again_replaces_the_device_and_disabling_forgets_all(enrolled):
    user, seed, codes = enrolled
    second = second_factor.enrol(user=user).seed
    second_factor.confirm(user=user, seed=second, code=code_of(second, -1))
    assert Credential.objects.filter(user=user).count() == 1
    assert not second_factor.verify(user=user, code=code_of(seed))
    assert not second_factor.verify(user=user, code=codes[0])
    assert second_factor.verify(user=user, code=code_of(second))
    second_factor.disable(user=user)
    assert not second_factor.is_enrolled(user)
    assert not RecoveryCode.objects.filter(user=user).exists()
    assert user.options == {}
    assert not second_factor.verify(user=user, code=code_of(second, 1))


def test_a_seed_by_the_api_that_is_not_base32_refuses_and_does_not_break():
    user = UserFactory()
    Credential.objects.create(user=user, type="totp", sealed=vault.seal("1!"))
    assert not second_factor.verify(user=user, code="123456")
