"""The tables of identity, one subject a file."""

from accounts.models.assignment import Assignment
from accounts.models.catalog import CatalogService, Endpoint, Region
from accounts.models.domain import DEFAULT_DOMAIN_ID, Domain
from accounts.models.project import Project
from accounts.models.quota import ProjectLock, Quota
from accounts.models.role import ImpliedRole, Role
from accounts.models.token import RevokedToken
from accounts.models.user import User

__all__ = [
    "DEFAULT_DOMAIN_ID",
    "Assignment",
    "CatalogService",
    "Domain",
    "Endpoint",
    "ImpliedRole",
    "Project",
    "ProjectLock",
    "Quota",
    "Region",
    "RevokedToken",
    "Role",
    "User",
]
