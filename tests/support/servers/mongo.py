"""One database a test on the session's mongod, and a plain client to look into it."""

from dataclasses import dataclass
from typing import Any

import pymongo

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Where a service under test keeps its documents, and how the test reads them."""

    url: str
    name: str
    client: "pymongo.MongoClient[Document]"

    def __getitem__(self, collection: str) -> "pymongo.collection.Collection[Document]":
        return self.client[self.name][collection]

    def documents(self, collection: str) -> list[Document]:
        """Read all documents of *collection* in order of their ids."""
        return list(self[collection].find().sort("_id", pymongo.ASCENDING))

    def drop(self) -> None:
        """Remove the database with all that is in it."""
        self.client.drop_database(self.name)
