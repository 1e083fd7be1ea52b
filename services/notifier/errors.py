"""What can go wrong around the notifier. Every error of a driver or library is one of these, with its cause."""


class NotifierError(Exception):
    """The notifier cannot go on with what it is doing."""


class LedgerUnavailableError(NotifierError):
    """The ledger does not answer; nothing was said that it does not know of. Try again when the database is back."""


class DocumentsMissingError(NotifierError, LookupError):
    """An assessment cites a plan or registry version that was never published; publish it with `dondoc publish`."""


class UnreadableAssessmentError(NotifierError):
    """The record is no assessment that the notifier can read; the message names the place."""
