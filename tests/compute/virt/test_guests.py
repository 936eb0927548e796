"""Domains of a host that are not of this installation."""

from compute.virt.driver import never
from tests.compute.virt import samples


def test_a_domain_of_somebody_else_is_counted_and_named_once(libvirt_driver, spec, base, caplog):
    with caplog.at_level("WARNING"):
        before = libvirt_driver.facts().foreign_guests
        libvirt_driver.spawn(spec, samples.OneFile(base), samples.ignore, never)
        after = [libvirt_driver.facts().foreign_guests for _ in range(3)]
    libvirt_driver.destroy(spec.server_id)

    assert before >= 1, "libvirt's pretended hypervisor has a domain of its own, named test"
    assert after == [before] * 3
    assert caplog.text.count("Domain test (") == 1
