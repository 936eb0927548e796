"""Which host takes a server: filters leave hosts out and say why, weighers order the rest. Pure functions, no Django."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class HostState:
    """What placement knows of a host: what it has, what is claimed of it, and how far that may go."""

    name: str
    zone: str = "nova"
    up: bool = True
    enabled: bool = True
    disabled_reason: str = ""
    vcpus: int = 0
    vcpus_used: int = 0
    memory_mb: int = 0
    memory_mb_used: int = 0
    disk_gb: int = 0
    disk_gb_used: int = 0
    vcpus_ratio: float = 1.0
    memory_ratio: float = 1.0
    disk_ratio: float = 1.0
    cpu_arch: str = "x86_64"
    hypervisor_type: str = "QEMU"

    @property
    def vcpus_limit(self) -> float:
        return self.vcpus * self.vcpus_ratio

    @property
    def memory_mb_limit(self) -> float:
        return self.memory_mb * self.memory_ratio

    @property
    def disk_gb_limit(self) -> float:
        return self.disk_gb * self.disk_ratio

    @property
    def vcpus_free(self) -> float:
        return self.vcpus_limit - self.vcpus_used

    @property
    def memory_mb_free(self) -> float:
        return self.memory_mb_limit - self.memory_mb_used

    @property
    def disk_gb_free(self) -> float:
        return self.disk_gb_limit - self.disk_gb_used


@dataclass(frozen=True)
class RequestSpec:
    """What a server asks of a host. ``attempted`` are hosts on which this build was tried before.

    ``group_hosts`` is how many other servers of its group are on each host; ``same_hosts`` and ``different_hosts`` are where servers
    are that it shall be with, or apart from.
    """

    vcpus: int
    memory_mb: int
    disk_gb: int
    zone: str | None = None
    host: str | None = None
    attempted: tuple[str, ...] = ()
    image_properties: Mapping[str, str] = field(default_factory=dict)
    group_policy: str | None = None
    group_hosts: Mapping[str, int] = field(default_factory=dict)
    group_max_per_host: int = 1
    same_hosts: tuple[str, ...] | None = None
    different_hosts: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the request as it is stored beside the decision."""
        lists = {name: list(value) for name, value in vars(self).items() if isinstance(value, tuple)}
        return {**asdict(self), **lists}


class Filter(Protocol):
    """One reason to leave a host out."""

    def refuse(self, spec: RequestSpec, host: HostState) -> str | None:
        """Return why the host cannot take the server, in words, or None when it can."""
        ...


class Weigher(Protocol):
    """One reason to prefer a host."""

    def weigh(self, spec: RequestSpec, host: HostState) -> float:
        """Return a number; more is better. Numbers are brought to 0..1 over all hosts before they are added."""
        ...


@dataclass(frozen=True)
class Step:
    """What one filter did: how many hosts were left, and why it refused the others."""

    filter: str
    left: int
    refused: dict[str, str]


@dataclass(frozen=True)
class Weight:
    """How a host was weighed."""

    host: str
    total: float
    parts: dict[str, float]


@dataclass(frozen=True)
class Selection:
    """The outcome: every step, and the hosts that are left, best first."""

    considered: int
    steps: list[Step]
    weights: list[Weight]

    @property
    def hosts(self) -> list[str]:
        return [weight.host for weight in self.weights]

    def steps_as_json(self) -> list[dict[str, Any]]:
        return [asdict(step) for step in self.steps]

    def weights_as_json(self) -> list[dict[str, Any]]:
        return [asdict(weight) for weight in self.weights]


def select(
    spec: RequestSpec,
    hosts: Iterable[HostState],
    filters: Sequence[Filter],
    weighers: Sequence[tuple[Weigher, float]],
) -> Selection:
    """Return what every filter refused and how the rest were weighed; stops filtering when no host is left."""
    left = list(hosts)
    considered = len(left)
    steps: list[Step] = []
    for each in filters:
        if not left:
            break
        reasons = {host.name: each.refuse(spec, host) for host in left}
        refused = {name: reason for name, reason in reasons.items() if reason is not None}
        left = [host for host in left if host.name not in refused]
        steps.append(Step(type(each).__name__, len(left), refused))
    return Selection(considered, steps, _weigh(spec, left, weighers))


def _weigh(spec: RequestSpec, hosts: list[HostState], weighers: Sequence[tuple[Weigher, float]]) -> list[Weight]:
    parts: dict[str, dict[str, float]] = {host.name: {} for host in hosts}
    for weigher, multiplier in weighers:
        raw = {host.name: weigher.weigh(spec, host) for host in hosts}
        for name, value in _normalised(raw).items():
            parts[name][type(weigher).__name__] = round(value * multiplier, 6)
    weights = [Weight(name, round(sum(mine.values()), 6), mine) for name, mine in parts.items()]
    return sorted(weights, key=lambda weight: (-weight.total, weight.host))


def _normalised(raw: dict[str, float]) -> dict[str, float]:
    low, high = min(raw.values(), default=0.0), max(raw.values(), default=0.0)
    if high == low:
        return dict.fromkeys(raw, 0.0)
    return {name: (value - low) / (high - low) for name, value in raw.items()}


def how_many(spec: RequestSpec, hosts: Iterable[HostState], filters: Sequence[Filter]) -> int:
    """Return how many servers like ``spec`` fit now, over all hosts that the filters let pass."""
    passed = [host for host in hosts if all(each.refuse(spec, host) is None for each in filters)]
    return sum(_room(spec, host) for host in passed)


def _room(spec: RequestSpec, host: HostState) -> int:
    rooms = [
        int(free // need)
        for free, need in (
            (host.vcpus_free, spec.vcpus),
            (host.memory_mb_free, spec.memory_mb),
            (host.disk_gb_free, spec.disk_gb),
        )
        if need > 0
    ]
    return max(0, min(rooms, default=0))
