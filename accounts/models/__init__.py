"""The tables of identity, one subject a file."""

from accounts.models.assignment import Assignment
from accounts.models.catalog import CatalogService, Endpoint, Region
from accounts.models.credential import Credential, RecoveryCode
from accounts.models.delegation import AccessRule, ApplicationCredential, Confinement, Trust
from accounts.models.domain import DEFAULT_DOMAIN_ID, Domain
from accounts.models.endpoint_filter import EndpointGroup, ProjectEndpoint
from accounts.models.group import Group, Membership
from accounts.models.limit import Limit, ProjectLock, RegisteredLimit
from accounts.models.password import PastPassword, SignIn
from accounts.models.policy import Consumer, DomainSetting, Policy, PolicyAssociation
from accounts.models.project import Ancestor, Project
from accounts.models.role import ImpliedRole, Role
from accounts.models.share import Share
from accounts.models.tag import DomainTag, ProjectTag
from accounts.models.token import RevokedToken
from accounts.models.user import User

__all__ = [
    "DEFAULT_DOMAIN_ID",
    "AccessRule",
    "Ancestor",
    "ApplicationCredential",
    "Assignment",
    "CatalogService",
    "Confinement",
    "Consumer",
    "Credential",
    "Domain",
    "DomainSetting",
    "DomainTag",
    "Endpoint",
    "EndpointGroup",
    "Group",
    "ImpliedRole",
    "Limit",
    "Membership",
    "PastPassword",
    "Policy",
    "PolicyAssociation",
    "Project",
    "ProjectEndpoint",
    "ProjectLock",
    "ProjectTag",
    "RecoveryCode",
    "Region",
    "RegisteredLimit",
    "RevokedToken",
    "Role",
    "Share",
    "SignIn",
    "Trust",
    "User",
]
