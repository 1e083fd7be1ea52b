"""The errors of the notifier. Every error of a driver or library is raised as one of these, with its cause."""


class NotifierError(Exception):
    """The notifier cannot go on with what it is doing."""


class LedgerUnavailableError(NotifierError):
    """The ledger does not answer, and nothing was sent that it does not know of. Try again when it is back."""


class LedgerRefusedError(NotifierError):
    """The database refuses what the ledger asks of it, and would refuse it again: wrong credentials, no rights."""


class AddressKeyError(NotifierError):
    """The contacts are encrypted with another key: set DONDOC_NOTIFIER_CONTACTS_KEY to it, or import them anew."""


class ContentConflictError(NotifierError):
    """A verdict has the revision of one that was followed, and another content; the one that was followed stays."""


class DocumentsMissingError(NotifierError, LookupError):
    """An assessment cites a plan or registry version that was never published; publish it with `dondoc publish`."""
