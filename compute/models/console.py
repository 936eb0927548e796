"""Console tokens: only their digest is kept."""

from django.db import models

from accounts.standing import Standing
from compute.models.server import Server


class ConsoleToken(models.Model):
    """A right to open one server's console once, for a short time.

    ``digest`` is the token's SHA-256 in hexadecimal, ``kind`` the API's type of console, ``session`` the handle of the session that
    asked for it, None for a token of the API.
    """

    digest = models.CharField(max_length=64, unique=True)
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="console_tokens")
    kind = models.CharField(max_length=16)
    user_id = models.CharField(max_length=64)
    project_id = models.CharField(max_length=64, null=True)
    application_credential_id = models.CharField(max_length=64, null=True)
    trust_id = models.CharField(max_length=64, null=True)
    domain_id = models.CharField(max_length=64, null=True)
    session = models.CharField(max_length=20, null=True)
    expires_at = models.DateTimeField(db_index=True)
    redeemed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} console of {self.server_id}"

    @property
    def holder(self) -> Standing:
        """Who asked for it, and by what he had been lent."""
        return Standing(self.user_id, self.project_id, self.application_credential_id, self.trust_id, self.domain_id)
