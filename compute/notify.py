"""Tell open pages which server changed: ids only, so that every page fetches what its own user may see."""

from compute.models import Server
from portal.core import feed

OPERATORS = "operators.servers"


def project_group(project_id: str) -> str:
    """Return the group of everybody who looks at a project's servers."""
    return f"project.{project_id}.servers"


def server_changed(server: Server) -> None:
    """Tell the pages of the server's project, and the operators', when the present transaction commits."""
    feed.publish([project_group(server.project_id), OPERATORS], {"type": "server.changed", "id": server.pk})
