"""What can go wrong on a hypervisor, as sentences for people."""


class DriverError(Exception):
    """The hypervisor refused or failed for good; the text says what and why."""


class GuestNotFound(DriverError):
    """There is no such guest on this host."""

    def __init__(self, server_id: str) -> None:
        super().__init__(f"Instance {server_id} is not on this host.")


class GuestNotRunning(DriverError):
    """The guest is there but off."""

    def __init__(self, server_id: str) -> None:
        super().__init__(f"Instance {server_id} is not running.")


class ImageUnavailable(DriverError):
    """An image could not be fetched, did not match its checksum, or is not what it claims to be."""


class BuildCancelled(DriverError):
    """The server was deleted while it was being built."""

    def __init__(self, server_id: str) -> None:
        super().__init__(f"The build of instance {server_id} was cancelled.")


class OperationCancelled(DriverError):
    """Something that was asked of the server later, such as to be deleted, goes before this."""

    def __init__(self, server_id: str) -> None:
        super().__init__(f"Something else was asked of instance {server_id}: this was given up.")


class AgentSilent(DriverError):
    """The agent inside a guest does not answer; it may do so when the guest has booted."""

    def __init__(self) -> None:
        super().__init__("The guest agent of the instance does not answer.")


class HypervisorUnreachable(Exception):
    """The connection to the hypervisor is gone for now: the queue tries again."""
