"""Queries on the notifier's own database, for commands that show or change what it does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from services.console.support.inputs import UnusableInputError
from services.notifier.errors import AddressKeyError, LedgerRefusedError, LedgerUnavailableError
from services.notifier.settings import NotifierSettings
from services.runtime import mongo

Result = TypeVar("Result")
# What a store is made of: the driver's client, and the name of the database.
Query = Callable[[Any, str], Awaitable[Result]]


def run_query(query: Query[Result]) -> Result:
    """Run *query* with a client and the name of the database; raise `UnusableInputError` where it does not answer."""
    settings = NotifierSettings()
    try:
        return asyncio.run(_run(settings, query))
    except LedgerUnavailableError as cause:
        raise UnusableInputError("the notifier's database does not answer; look at DONDOC_MONGO_URL") from cause
    except LedgerRefusedError as cause:
        raise UnusableInputError(f"the notifier's database refuses this: {cause}") from cause
    except AddressKeyError as cause:
        raise UnusableInputError(str(AddressKeyError.__doc__)) from cause


async def _run(settings: NotifierSettings, query: Query[Result]) -> Result:
    client = mongo.connect(settings.mongo_url)
    try:
        return await query(client, settings.mongo_database)
    finally:
        client.close()
