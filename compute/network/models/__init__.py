"""The tables of the network service, one file each."""

from compute.network.models.network import Network, Subnet
from compute.network.models.port import FixedAddress, Port
from compute.network.models.security_group import SecurityGroup, SecurityGroupRule

__all__ = ["FixedAddress", "Network", "Port", "SecurityGroup", "SecurityGroupRule", "Subnet"]
