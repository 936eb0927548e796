"""The tables of compute, one file each."""

from compute.models.action import ActionEvent, ServerAction
from compute.models.aggregate import Aggregate
from compute.models.console import ConsoleToken
from compute.models.flavor import Flavor, FlavorAccess
from compute.models.host import Host, Service
from compute.models.host_image import HostImage
from compute.models.keypair import Keypair
from compute.models.migration import Migration
from compute.models.placement import PlacementDecision
from compute.models.server import Server, ServerDefinition, ServerFault, ServerNumber
from compute.models.server_group import ServerGroup
from compute.models.server_tag import ServerTag
from compute.models.usage import UsageInterval
from compute.models.user_limit import UserLimit

__all__ = [
    "ActionEvent",
    "Aggregate",
    "ConsoleToken",
    "Flavor",
    "FlavorAccess",
    "Host",
    "HostImage",
    "Keypair",
    "Migration",
    "PlacementDecision",
    "Server",
    "ServerAction",
    "ServerDefinition",
    "ServerFault",
    "ServerGroup",
    "ServerNumber",
    "ServerTag",
    "Service",
    "UsageInterval",
    "UserLimit",
]
