"""The two reasons for which events are not written: an identity has other content already, or nothing takes records."""

from collections.abc import Mapping

from services.intake.core.fact_record import Stamp


class IdentityConflictError(Exception):
    """An identity (source and id) has other content already; nothing of the request was written.

    *standing* holds the stamps of the request's identities that the log, the spool or a request under way has already.
    """

    def __init__(self, standing: Mapping[bytes, Stamp]) -> None:
        super().__init__("an identity stands for other content")
        self.standing = standing


class LogUnavailableError(Exception):
    """Neither the broker nor the spool takes records now; nothing was written, and the same request may come again."""
