"""How often a name has been tried from one place."""

from django.db import models


class LoginTries(models.Model):
    """The tries of one user name by one client, as far as they went wrong lately.

    `key` is a hash: what people type into a field for names may be a password.
    """

    key = models.CharField(max_length=64, primary_key=True)
    n_tries = models.PositiveIntegerField()
    next_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "login tries"

    def __str__(self) -> str:
        return self.key
