"""The readers of a running reporting, in a file of their own."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from schemas.events import dashboard_links
from services.reporting.core.access import readers
from services.reporting.core.access.links import ReaderLink
from services.reporting.core.access.readers import Reader, ReaderKey
from services.reporting.http.access import reader_keys
from services.runtime.access import bearer_keys
from services.runtime.clock import Clock, SystemClock


class ReadersFile:
    """Enters readers into a file, and signs links for them. One may read everything; `headers` send its key."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self.path = path
        self._clock = clock or SystemClock()
        self._link_key = reader_keys.load_or_create_link_key(path)
        self.bearer = self.create("all", name="everything")
        self.headers: Mapping[str, str] = {"authorization": f"Bearer {self.bearer}"}

    def create(
        self,
        *scopes: str,
        name: str = "somebody",
        permits: tuple[str, ...] = (),
        expires_at: datetime | None = None,
    ) -> str:
        """Enter a reader whose id is *name*; return the bearer key. *permits* may hold `reviews` and `seals`."""
        secret = bearer_keys.create_secret()
        reader = Reader(
            id=name,
            name=name,
            scope=readers.parse_scope(scopes),
            may_review="reviews" in permits,
            may_seal="seals" in permits,
        )
        key = ReaderKey(
            reader=reader,
            sha256=bearer_keys.digest_secret(secret),
            created_at=self._clock.now(),
            expires_at=expires_at,
        )
        reader_keys.write_readers(self.path, [*reader_keys.read_readers(self.path), key])
        return bearer_keys.format_bearer(reader_keys.BEARER_PREFIX, name, secret)

    def sign_link(self, name: str, url: str, *, lifetime: timedelta = timedelta(hours=1)) -> str:
        """Return a link to the dashboard at *url* for the reader called *name*."""
        now = self._clock.now()
        token = self._link_key.sign_link(ReaderLink(reader=name, issued_at=now, expires_at=now + lifetime))
        return dashboard_links.dashboard_url(url, token, "vi")
