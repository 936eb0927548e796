"""The text of the filters, line by line, and what the host keeps of them."""

from dataclasses import replace

from compute.virt.filtering import GroupSpec, PairSpec, PortFilter, RuleSpec
from compute.virt.libvirt import ruleset
from compute.virt.libvirt.filter_store import FilterStore
from compute.virt.libvirt.guard import Guard, NoGuard
from compute.virt.libvirt.metadata import Port

PORT = PortFilter("11111111-aaaa-4000-8000-000000000000", 1, "fa:16:3e:00:00:01", ["10.0.0.5"], ["g-1"])
KEY = "11111111aaaa40008000000000000000"


def rules_of(*rules):
    lines = ruleset.group("t", GroupSpec("g-1", 1, list(rules), []))
    return [line.partition("gi_g1 ")[2] for line in lines if line.startswith("add rule bridge t gi_g1 ")]


def test_each_kind_of_rule_in_words():
    assert rules_of(
        RuleSpec("ingress"),
        RuleSpec("ingress", prefix="0.0.0.0/0"),
        RuleSpec("ingress", 6, 22, 22, prefix="192.0.2.0/24"),
        RuleSpec("ingress", 17, 1, 65535),
        RuleSpec("ingress", 1),
        RuleSpec("ingress", 1, 8),
        RuleSpec("ingress", 1, 8, 0),
        RuleSpec("ingress", 112),
        RuleSpec("ingress", 0),
        RuleSpec("ingress", 132, 5, 6, group_id="g-2"),
        RuleSpec("egress", 6, 80, 80),
    ) == [
        "ether type ip accept",
        "ether type ip accept",
        "ether type ip ip saddr 192.0.2.0/24 tcp dport 22 accept",
        "ether type ip udp dport 1-65535 accept",
        "ether type ip ip protocol 1 accept",
        "ether type ip icmp type 8 accept",
        "ether type ip icmp type 8 icmp code 0 accept",
        "ether type ip ip protocol 112 accept",
        "ether type ip accept",
        "ether type ip ip saddr @m_g2 sctp dport 5-6 accept",
    ]


def test_a_group_is_a_set_of_members_and_a_chain_each_way():
    lines = ruleset.group(
        "t", GroupSpec("g-1", 1, [RuleSpec("egress", group_id="g-2")], ["10.0.0.5", "10.1.0.0/24", "fe80::1"])
    )

    assert "add element bridge t m_g1 { 10.0.0.5, 10.1.0.0/24 }" in lines
    assert "add rule bridge t go_g1 ether type ip ip daddr @m_g2 accept" in lines
    assert lines.index("add set bridge t m_g2 { type ipv4_addr; flags interval; auto-merge; }") < lines.index(
        "flush chain bridge t go_g1"
    )


def test_a_port_asks_its_groups_and_drops_the_rest():
    lines = ruleset.port("t", PORT)

    assert [line for line in lines if line.startswith(f"add rule bridge t in_{KEY}")] == [
        f"add rule bridge t in_{KEY} jump gi_g1",
        f"add rule bridge t in_{KEY} drop",
    ]
    assert 'add element bridge t addresses { "tap11111111-aa" . fa:16:3e:00:00:01 . 10.0.0.5 }' in lines
    assert f'add element bridge t ingress {{ "tap11111111-aa" : goto in_{KEY} }}' in lines


def test_pairs_let_a_port_speak_with_more_addresses():
    lines = ruleset.port("t", replace(PORT, pairs=[PairSpec("fa:16:3e:00:00:02", "10.0.0.64/28")]))

    assert f"add rule bridge t pair_{KEY} ether type ip ether saddr fa:16:3e:00:00:02 ip saddr 10.0.0.64/28 accept" in lines
    assert 'add element bridge t cards { "tap11111111-aa" . fa:16:3e:00:00:02 }' in lines


def test_what_a_port_has_no_more_is_taken_away_first():
    lines = ruleset.port("t", replace(PORT, addresses=["10.0.0.6"]), PORT)
    gone = 'delete element bridge t addresses { "tap11111111-aa" . fa:16:3e:00:00:01 . 10.0.0.5 }'
    new = 'add element bridge t addresses { "tap11111111-aa" . fa:16:3e:00:00:01 . 10.0.0.6 }'

    assert lines.index(gone) < lines.index(new)
    assert not any(line.startswith("add") and '"tap' in line for line in ruleset.port("t", replace(PORT, on=False)))


def test_old_news_changes_nothing_and_a_restart_forgets_nothing(tmp_path):
    store = FilterStore(tmp_path)
    newer = replace(PORT, revision=2, addresses=["10.0.0.6"])
    group = GroupSpec("g-1", 3, [RuleSpec("ingress", group_id="g-2")], ["10.0.0.6"])
    store.merge([newer], [group, GroupSpec("g-2", 1), GroupSpec("g-3", 1)])

    later = FilterStore(tmp_path)
    changes = later.merge([PORT, newer], [replace(group, revision=2, rules=[])])

    assert (changes.ports, changes.groups) == ([], [])
    assert later.ports == {PORT.port_id: newer}
    assert later.groups["g-1"] == group
    assert later.forget_unused() == ["g-3"]
    assert later.forget(PORT.port_id) == newer
    assert later.forget_unused() == ["g-1", "g-2"]
    assert FilterStore(tmp_path).ports == {}


def test_late_news_of_a_port_that_left_is_kept_back_until_it_comes_again(tmp_path):
    guard, store = NoGuard("t", tmp_path), tmp_path / "ports"
    newer = replace(PORT, revision=9, addresses=["10.0.0.6"])
    guard.hear([PORT], [])  # it may come before the port itself
    assert [entry.stem for entry in store.iterdir()] == [PORT.port_id]

    guard.forget([Port(PORT.port_id, PORT.mac, PORT.addresses, "net", "br", "10.0.0.1")])
    guard.hear([newer], [])
    assert list(store.iterdir()) == []

    guard.filter([PORT], [])
    assert FilterStore(tmp_path).ports == {PORT.port_id: newer}


def test_a_file_that_is_broken_is_left_out(tmp_path):
    store = FilterStore(tmp_path)
    store.merge([PORT], [])
    next((tmp_path / "ports").glob("*.json")).write_text("{")
    assert FilterStore(tmp_path).ports == {}


class Recording(Guard):
    """A guard whose host only remembers; ``flushed``: somebody took all rules of the host away."""

    def __init__(self, folder, reachable=()):
        super().__init__("here", folder, reachable)
        self.scripts, self.flushed = [], False

    def _track_bridged_packets(self):
        return None

    def _nft(self, lines):
        from compute.virt.errors import DriverError

        if self.flushed and "add table bridge nebulet_here" not in lines:
            raise DriverError("nft refused: No such file or directory.")
        self.flushed = False
        self.scripts.append(lines)


def test_a_restart_and_a_flush_put_everything_back(tmp_path):
    Recording(tmp_path).filter([PORT], [GroupSpec("g-1", 1)])

    guard = Recording(tmp_path)
    assert guard.install()
    assert all(line in guard.scripts[0] for line in ruleset.port("nebulet_here", PORT))

    guard.flushed = True
    guard.filter([], [GroupSpec("g-1", 2, [RuleSpec("ingress")])])
    assert all(line in guard.scripts[1] for line in ruleset.port("nebulet_here", PORT))
    assert "add rule bridge nebulet_here gi_g1 ether type ip accept" in guard.scripts[2]


def test_guests_of_a_bridge_are_kept_from_their_host_after_a_flush_too(tmp_path):
    guard = Recording(tmp_path, ["tcp/3142", "udp/123"])
    guard.install()
    guard.allow([Port("p-1", PORT.mac, PORT.addresses, "n", "nbr-0123456789", "10.0.0.1")])
    guard.flushed = True
    guard.filter([PORT], [])

    base, allowed, again = guard.scripts[:3]
    ours = [line.partition("to_host ")[2] for line in base if line.startswith("add rule ip nebulet_here to_host ")]
    assert ours[-3:] == ["tcp dport 3142 accept", "udp dport 123 accept", "drop"]
    assert 'add element ip nebulet_here bridges { "nbr-0123456789" }' in allowed
    assert 'add element ip nebulet_here bridges { "nbr-0123456789" }' in again
    assert again.index("add rule ip nebulet_here to_host tcp dport 3142 accept") > again.index(
        "flush chain ip nebulet_here to_host"
    )
