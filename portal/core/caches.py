"""The cache that all processes share."""

from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class SharedRedisCache(RedisCache):
    """Django makes a cache for each request; here all of a process go through one pool of connections."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _client


_clients: dict[str, RedisCacheClient] = {}


def _client(servers: list[str], **options: Any) -> RedisCacheClient:
    return _clients.setdefault(" ".join(servers), RedisCacheClient(servers, **options))
