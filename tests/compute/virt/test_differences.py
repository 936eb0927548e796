"""Two definitions of one guest, compared."""

from compute.virt.layout import plan
from compute.virt.libvirt import differences, domain_xml
from tests.compute.virt import samples
from tests.compute.virt.test_domain_xml import INSTANCES, MACHINE

FIRST = """<domain type="kvm" id="3"><name>i</name><devices><serial type="pty"><source path="/dev/pts/3"/></serial>
<graphics type="vnc" socket="/run/domain-3-i/vnc.sock"><listen type="socket" socket="/run/domain-3-i/vnc.sock"/></graphics>
<channel type="unix"><source mode="bind" path="/run/channel/domain-3-i/agent.0"/></channel></devices>
<seclabel type="dynamic">a</seclabel></domain>"""


def test_another_start_of_the_same_guest_is_no_change():
    second = (
        FIRST.replace('id="3"', 'id="9"').replace("domain-3-", "domain-9-").replace("pts/3", "pts/8").replace(">a<", ">b<")
    )

    assert differences.between(FIRST, second) == []


def test_what_changed_is_shown_with_what_stands_around_it():
    old, new = (
        domain_xml.build(samples.guest(memory_mb=size), plan(INSTANCES, samples.guest()), MACHINE) for size in (512, 1024)
    )

    lines = differences.between(old, new)

    assert next(line.text.strip() for line in lines if line.sign == "-") == "<memory>524288</memory>"
    assert next(line.text.strip() for line in lines if line.sign == "+") == "<memory>1048576</memory>"
    assert any("<name>" in line.text for line in lines if line.sign == " ")


def test_what_is_no_xml_is_compared_as_text():
    assert [line.sign for line in differences.between("old", "new")] == ["@", "-", "+"]
