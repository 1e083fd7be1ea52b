"""Queries on the notifier's own database, for commands that show or change what it does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from schemas.plan.values import Bilingual
from services.console.support.inputs import UnusableInputError
from services.notifier.errors import AddressKeyError, LedgerRefusedError, LedgerUnavailableError
from services.notifier.settings import NotifierSettings
from services.runtime import mongo

Result = TypeVar("Result")
# What a store is made of: the driver's client, and the name of the database.
Query = Callable[[Any, str], Awaitable[Result]]

_SILENT = Bilingual.of(
    en="the notifier's database does not answer; look at DONDOC_MONGO_URL",
    vi="cơ sở dữ liệu của dịch vụ nhắc không trả lời; hãy xem lại DONDOC_MONGO_URL",
)


def run_query(query: Query[Result]) -> Result:
    """Run *query* with a client and the name of the database; raise `UnusableInputError` where it does not answer."""
    settings = NotifierSettings()
    try:
        return asyncio.run(_run(settings, query))
    except LedgerUnavailableError as cause:
        raise UnusableInputError(_SILENT) from cause
    except LedgerRefusedError as cause:
        detail = Bilingual.of(
            en=f"the notifier's database refuses this: {cause}",
            vi=f"cơ sở dữ liệu của dịch vụ nhắc không cho thực hiện: {cause}",
        )
        raise UnusableInputError(detail) from cause
    except AddressKeyError as cause:
        detail = Bilingual.of(
            en=str(AddressKeyError.__doc__),
            vi="danh bạ được mã hóa bằng khóa khác; hãy đặt DONDOC_NOTIFIER_CONTACTS_KEY bằng khóa đó, hoặc nạp lại",
        )
        raise UnusableInputError(detail) from cause


async def _run(settings: NotifierSettings, query: Query[Result]) -> Result:
    client = mongo.connect(settings.mongo_url)
    try:
        return await query(client, settings.mongo_database)
    finally:
        client.close()
