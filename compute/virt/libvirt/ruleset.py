"""The text of nftables rules that filter guests: what a port may send, and what its security groups let through.

Everything about one guest's card hangs on the name of its network device, in the table ``bridge``: anti-spoofing where packets
come in, outgoing rules after that, incoming rules where packets go out to the card. That table cannot ask the kernel's connection
tracking on every kernel, but the table ``ip`` can: it marks packets that answer a connection which was let through, and marked
packets pass. So each packet of a connection's own direction is judged by the rules as they are now, and a rule that is taken away
ends the connections that it let in.

What comes from guests to the host itself is judged in the table ``ip``, before anything there translates its address: it passes if
the host needs it to (DHCP, names, pings, answers) or its operator said so. That holds for all that comes by a bridge of this
installation, whatever its card is allowed.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, ip_address, ip_network

from compute.virt.filtering import GroupSpec, PortFilter, RuleSpec
from compute.virt.naming import tap

ANSWER = "0x20000000"
_ICMP, _TCP, _UDP = 1, 6, 17
_NAMES = {_TCP: "tcp", _UDP: "udp", 33: "dccp", 132: "sctp", 136: "udplite"}

_BASE = """\
add table bridge {t}
add set bridge {t} taps {{ type ifname; }}
add set bridge {t} cards {{ type ifname . ether_addr; }}
add set bridge {t} addresses {{ type ifname . ether_addr . ipv4_addr; }}
add map bridge {t} pairs {{ type ifname : verdict; }}
add map bridge {t} ingress {{ type ifname : verdict; }}
add map bridge {t} egress {{ type ifname : verdict; }}
add set bridge {t} filtered {{ type ifname; }}
add chain bridge {t} entrance {{ type filter hook prerouting priority -300; policy accept; }}
add chain bridge {t} leaving {{ type filter hook prerouting priority 10; policy accept; }}
add chain bridge {t} arriving {{ type filter hook postrouting priority 0; policy accept; }}
add chain bridge {t} guest
add chain bridge {t} from_guest
add chain bridge {t} to_guest
flush chain bridge {t} entrance
flush chain bridge {t} leaving
flush chain bridge {t} arriving
flush chain bridge {t} guest
flush chain bridge {t} from_guest
flush chain bridge {t} to_guest
add rule bridge {t} entrance iifname @taps goto guest
add rule bridge {t} guest iifname . ether saddr != @cards drop
add rule bridge {t} guest ether type arp iifname . arp saddr ether . arp saddr ip @addresses accept
add rule bridge {t} guest ether type arp iifname . arp saddr ether @cards arp saddr ip 0.0.0.0 accept
add rule bridge {t} guest ether type ip udp sport 67 drop
add rule bridge {t} guest ether type ip iifname . ether saddr . ip saddr @addresses accept
add rule bridge {t} guest ether type ip ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept
add rule bridge {t} guest iifname vmap @pairs
add rule bridge {t} guest drop
add rule bridge {t} leaving iifname @filtered goto from_guest
add rule bridge {t} from_guest ether type arp accept
add rule bridge {t} from_guest meta mark & {answer} == {answer} accept
add rule bridge {t} from_guest ether type ip udp sport 68 udp dport 67 accept
add rule bridge {t} from_guest iifname vmap @egress
add rule bridge {t} from_guest drop
add rule bridge {t} arriving oifname @filtered goto to_guest
add rule bridge {t} to_guest ether type arp accept
add rule bridge {t} to_guest meta mark & {answer} == {answer} accept
add rule bridge {t} to_guest ether type ip udp sport 67 udp dport 68 accept
add rule bridge {t} to_guest oifname vmap @ingress
add rule bridge {t} to_guest drop
add table ip {t}
add set ip {t} bridges {{ type ifname; }}
add chain ip {t} before {{ type filter hook prerouting priority -150; policy accept; }}
add chain ip {t} through {{ type filter hook forward priority -150; policy accept; }}
add chain ip {t} from_host {{ type filter hook output priority -150; policy accept; }}
add chain ip {t} inside {{ type filter hook input priority 0; policy accept; }}
add chain ip {t} to_host
flush chain ip {t} before
flush chain ip {t} through
flush chain ip {t} from_host
flush chain ip {t} inside
flush chain ip {t} to_host
add rule ip {t} before iifname "nbr-*" ct state established ct direction reply meta mark set meta mark or {answer}
add rule ip {t} before iifname "nbr-*" ct state related meta mark set meta mark or {answer}
add rule ip {t} through oifname "nbr-*" ct state established ct direction reply meta mark set meta mark or {answer}
add rule ip {t} through oifname "nbr-*" ct state related meta mark set meta mark or {answer}
add rule ip {t} from_host oifname "nbr-*" ct state established ct direction reply meta mark set meta mark or {answer}
add rule ip {t} from_host oifname "nbr-*" ct state related meta mark set meta mark or {answer}
add rule ip {t} before iifname @bridges fib daddr type local goto to_host
add rule ip {t} inside iifname @bridges fib daddr type {{ broadcast, multicast }} goto to_host
add rule ip {t} to_host ct state established ct direction reply accept
add rule ip {t} to_host ct state related accept
add rule ip {t} to_host icmp type echo-request accept
add rule ip {t} to_host fib daddr . iif type {{ local, broadcast }} udp dport 67 accept
add rule ip {t} to_host fib daddr . iif type local udp dport 53 accept
add rule ip {t} to_host fib daddr . iif type local tcp dport 53 accept
"""


def base(table: str, reachable: Iterable[str] = ()) -> list[str]:
    """Return what holds for all guests; sets and what is in them stay as they are.

    ``reachable`` are services of the host that guests may use, such as ``tcp/3142``.
    """
    services = [service.split("/") for service in reachable]
    return [
        *_BASE.format(t=table, answer=ANSWER).splitlines(),
        *(f"add rule ip {table} to_host {protocol} dport {port} accept" for protocol, port in services),
        f"add rule ip {table} to_host drop",
    ]


def bridges(table: str, names: Iterable[str]) -> list[str]:
    """Return what has these bridges taken for this installation's own: others on the same machine have rules of their own."""
    return [f'add element ip {table} bridges {{ "{name}" }}' for name in sorted(names)]


def remove(table: str) -> list[str]:
    """Return what takes everything away."""
    return [f"{verb} table {family} {table}" for family in ("bridge", "ip") for verb in ("add", "delete")]


def group(table: str, spec: GroupSpec) -> list[str]:
    """Return a group's chains and the set of its members, made anew in place of what was there."""
    members = [text for text in spec.members if ip_network(text).version == 4]
    named = sorted({rule.group_id for rule in spec.rules if rule.group_id} | {spec.id})
    lines = [f"add set bridge {table} m_{_hex(one)} {{ type ipv4_addr; flags interval; auto-merge; }}" for one in named]
    lines.append(f"flush set bridge {table} m_{_hex(spec.id)}")
    if members:
        lines.append(f"add element bridge {table} m_{_hex(spec.id)} {{ {', '.join(members)} }}")
    for direction, prefix in (("ingress", "gi"), ("egress", "go")):
        chain = f"bridge {table} {prefix}_{_hex(spec.id)}"
        lines += [f"add chain {chain}", f"flush chain {chain}"]
        lines += [f"add rule {chain} {_rule(rule)}" for rule in spec.rules if rule.direction == direction]
    return lines


def without_groups(table: str, ids: Iterable[str]) -> list[str]:
    """Return what takes groups away that no port needs any more."""
    chains = [f"bridge {table} {prefix}_{_hex(one)}" for one in ids for prefix in ("gi", "go")]
    sets = [f"bridge {table} m_{_hex(one)}" for one in ids]
    lines = [f"{verb} chain {chain}" for verb in ("add", "flush") for chain in chains]
    lines += [f"delete chain {chain}" for chain in chains]
    for one in sets:
        lines += [f"add set {one} {{ type ipv4_addr; flags interval; auto-merge; }}", f"delete set {one}"]
    return lines


def port(table: str, spec: PortFilter, before: PortFilter | None = None) -> list[str]:
    """Return what a port may do from now on; ``before`` is how it was filtered until now."""
    lines = without_port(table, before) if before is not None and before != spec else []
    if not spec.on:
        return lines
    for chain, prefix in (("in", "gi"), ("out", "go")):
        name = f"bridge {table} {chain}_{_hex(spec.port_id)}"
        lines += [f"add chain {name}", f"flush chain {name}"]
        for group_id in spec.groups:
            lines.append(f"add chain bridge {table} {prefix}_{_hex(group_id)}")
            lines.append(f"add rule {name} jump {prefix}_{_hex(group_id)}")
        lines.append(f"add rule {name} drop")
    lines += _pairs(table, spec)
    return [*lines, *_elements(table, "add", spec)]


def without_port(table: str, spec: PortFilter) -> list[str]:
    """Return what takes a port off the table.

    What is not there cannot be deleted, so it is added first; a script is one transaction.
    """
    chains = [f"bridge {table} {kind}_{_hex(spec.port_id)}" for kind in ("in", "out", "pair")]
    lines = [f"add chain {chain}" for chain in chains]
    lines += [*_elements(table, "add", spec), *_elements(table, "delete", spec)]
    return [*lines, *(f"{verb} chain {chain}" for chain in chains for verb in ("flush", "delete"))]


def _pairs(table: str, spec: PortFilter) -> list[str]:
    if not spec.pairs:
        return []
    chain = f"bridge {table} pair_{_hex(spec.port_id)}"
    lines = [f"add chain {chain}", f"flush chain {chain}"]
    for pair in spec.pairs:
        lines.append(f"add rule {chain} ether type arp arp saddr ether {pair.mac} arp saddr ip {pair.prefix} accept")
        lines.append(f"add rule {chain} ether type ip ether saddr {pair.mac} ip saddr {pair.prefix} accept")
    return lines


def _elements(table: str, verb: str, spec: PortFilter) -> list[str]:
    device, key = f'"{tap(spec.port_id)}"', _hex(spec.port_id)
    cards = sorted({spec.mac, *(pair.mac for pair in spec.pairs)})
    addresses = [text for text in spec.addresses if isinstance(ip_address(text), IPv4Address)]
    rows: dict[str, list[str]] = {
        "taps": [device],
        "cards": [f"{device} . {mac}" for mac in cards],
        "addresses": [f"{device} . {spec.mac} . {address}" for address in addresses],
        "filtered": [device],
        "ingress": [f"{device} : goto in_{key}"],
        "egress": [f"{device} : goto out_{key}"],
        "pairs": [f"{device} : jump pair_{key}"] if spec.pairs else [],
    }
    return [f"{verb} element bridge {table} {name} {{ {row} }}" for name, found in rows.items() for row in found]


def _rule(rule: RuleSpec) -> str:
    side = "saddr" if rule.direction == "ingress" else "daddr"
    parts = ["ether type ip"]
    if rule.group_id is not None:
        parts.append(f"ip {side} @m_{_hex(rule.group_id)}")
    elif rule.prefix is not None and not rule.prefix.endswith("/0"):
        parts.append(f"ip {side} {rule.prefix}")
    parts += _protocol(rule)
    return " ".join([*parts, "accept"])


def _protocol(rule: RuleSpec) -> list[str]:
    """Return the part of a rule about what the packet carries; protocol 0 is any."""
    if not rule.protocol:
        return []
    if rule.first is None:
        return [f"ip protocol {rule.protocol}"]
    if rule.protocol == _ICMP:
        code = [] if rule.last is None else [f"icmp code {rule.last}"]
        return [f"icmp type {rule.first}", *code]
    span = str(rule.first) if rule.last in (None, rule.first) else f"{rule.first}-{rule.last}"
    return [f"{_NAMES[rule.protocol]} dport {span}"]


def _hex(name: str) -> str:
    """Return an id as part of a name in nftables."""
    return "".join(char for char in name if char.isalnum())
