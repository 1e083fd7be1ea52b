"""What the clerks of this process must be given to work by: made anew when a plan or the signing key changes."""

from services.intake.published_plans import PublishedPlans
from services.intake.receipts.signing import Signer, SigningKeys
from services.intake.workers.protocol import Papers


class Files:
    """Where the papers are kept."""

    def __init__(self, library: PublishedPlans, signing_keys: SigningKeys) -> None:
        self._library = library
        self._signing_keys = signing_keys
        self._made_of: tuple[int, Signer] | None = None
        self._papers: Papers | None = None

    def papers(self) -> Papers:
        """Return the papers in force: the same object as before if nothing has changed."""
        made_of = self._library.generation, self._signing_keys.signer
        if self._papers is None or self._made_of != made_of:
            signer = made_of[1]
            self._papers = Papers(self._library.indexes(), signer.key, signer.issuer)
            self._made_of = made_of
        return self._papers
