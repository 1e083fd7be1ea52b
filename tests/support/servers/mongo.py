"""A database for one test on the session's mongod, and a client to inspect it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import pymongo
from pymongo import AsyncMongoClient

from services.runtime import mongo

Document = dict[str, Any]


DRIVERS = ("motor", "pymongo")
"""Motor, which the product runs on, and the asynchronous client of PyMongo that may take its place."""


@asynccontextmanager
async def open_client(driver: str, url: str) -> AsyncIterator[Any]:
    """Open a client as the services do, of one of `DRIVERS`."""
    if driver == "motor":
        opened = mongo.connect(url)
        yield opened
        opened.close()
        return
    async with AsyncMongoClient(url, **mongo.OPTIONS) as found:
        yield found


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The database of the service under test, and read access to it."""

    url: str
    name: str
    client: "pymongo.MongoClient[Document]"

    def __getitem__(self, collection: str) -> "pymongo.collection.Collection[Document]":
        return self.client[self.name][collection]

    def documents(self, collection: str) -> list[Document]:
        """Read all documents of *collection* in order of their ids."""
        return list(self[collection].find().sort("_id", pymongo.ASCENDING))

    @contextmanager
    def fail_commands(self, *commands: str, **fault: Any) -> Iterator[None]:
        """Let mongod answer *commands* with *fault*, for example `writeConcernError={...}` or `errorCode=11602`."""
        data = {"failCommands": list(commands), **fault}
        self.client.admin.command("configureFailPoint", "failCommand", mode="alwaysOn", data=data)
        try:
            yield
        finally:
            self.client.admin.command("configureFailPoint", "failCommand", mode="off")

    def drop(self) -> None:
        """Drop the database."""
        self.client.drop_database(self.name)
