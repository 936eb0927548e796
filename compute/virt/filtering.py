"""What a host must know to filter the traffic of ports: plain data, each with a revision by which old news is told from new."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RuleSpec:
    """One kind of IPv4 traffic that passes. ``first`` and ``last`` are ports, or type and code where ``protocol`` is ICMP (1).

    Who it may come from or go to is ``prefix``, the members of ``group_id``, or anybody.
    """

    direction: str
    protocol: int | None = None
    first: int | None = None
    last: int | None = None
    prefix: str | None = None
    group_id: str | None = None


@dataclass(frozen=True)
class GroupSpec:
    """A security group: its rules, and the addresses and ranges that its members hold on all hosts."""

    id: str
    revision: int
    rules: list[RuleSpec] = field(default_factory=list)
    members: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class PairSpec:
    """A further address or range that a port may use, with the hardware address that goes with it."""

    mac: str
    prefix: str


@dataclass(frozen=True)
class PortFilter:
    """Which addresses a port may use and which groups say what reaches it; with ``on`` false it is not filtered at all."""

    port_id: str
    revision: int
    mac: str
    addresses: list[str]
    groups: list[str] = field(default_factory=list)
    pairs: list[PairSpec] = field(default_factory=list)
    on: bool = True
