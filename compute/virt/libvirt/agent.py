"""What only the agent inside a guest can do (libvirt: formatdomain.html#channel)."""

import libvirt

from compute.virt.errors import AgentSilent, DriverError

_NO_AGENT = (
    libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
    libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
    libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
    libvirt.VIR_ERR_NO_SUPPORT,
)

_PATIENCE_S = 3  # somebody waits


def set_password(domain: libvirt.virDomain, user: str, password: str) -> None:
    """Set the password of a user; raises DriverError with what the guest lacks, AgentSilent where another try may help."""
    try:
        domain.agentSetResponseTimeout(_PATIENCE_S)
        domain.setUserPassword(user, password)
    except libvirt.libvirtError as error:
        code = error.get_error_code()
        if code in _NO_AGENT:
            raise DriverError(
                "The instance has no guest agent: its image needs the property hw_qemu_guest_agent=yes."
            ) from error
        if code == libvirt.VIR_ERR_AGENT_UNRESPONSIVE:
            raise AgentSilent from error
        raise
