"""Three real mongods that replicate; a test may stop or kill each of them."""

from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from deploy.local.process.ports import free_ports
from deploy.local.servers.mongod import PROBE_MILLISECONDS, REPLICA_SET, Mongod
from tests.support.assertions.eventually import eventually

NODES = 3
# An election begins after so long without the primary; the default of ten seconds would only make the test longer.
ELECTION_MILLISECONDS = 2_000


class ReplicaSetNode(Mongod):
    """One of the three. It is ready when it has a state in the set, as primary or secondary."""

    def _is_primary(self) -> bool:
        return bool(self.find_role())

    def find_role(self) -> str:
        """Return `primary` or `secondary`, or nothing while the node has neither role."""
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            self.host, directConnection=True, serverSelectionTimeoutMS=PROBE_MILLISECONDS
        )
        try:
            hello = client.admin.command("hello")
        except PyMongoError:
            return ""
        finally:
            client.close()
        return "primary" if hello.get("isWritablePrimary") else "secondary" if hello.get("secondary") else ""


class MongodReplicaSet:
    """The three nodes, and the URL by which clients find whichever is the primary."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [ReplicaSetNode(folder / str(number), port=port) for number, port in enumerate(free_ports(NODES))]
        self.url = f"mongodb://{','.join(node.host for node in self.nodes)}/?replicaSet={REPLICA_SET}"

    async def start(self) -> None:
        """Start all nodes and make them one set."""
        for node in self.nodes:
            node.launch()
        await eventually(self._initiate, "the set initiated", timeout=60)
        await self.wait_until_whole()

    async def wait_until_whole(self) -> None:
        """Wait for one primary and two secondaries."""
        roles = ["primary", *["secondary"] * (NODES - 1)]
        await eventually(lambda: sorted(self._roles()) == roles, "a primary and its secondaries", timeout=60)

    def find_primary(self) -> ReplicaSetNode | None:
        """Return the primary, if there is one."""
        return next((node for node in self.nodes if node.find_role() == "primary"), None)

    def kill(self) -> None:
        """Kill all nodes."""
        for node in self.nodes:
            node.kill()

    def _roles(self) -> list[str]:
        return [node.find_role() for node in self.nodes]

    def _initiate(self) -> bool:
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            self.nodes[0].host, directConnection=True, serverSelectionTimeoutMS=PROBE_MILLISECONDS
        )
        members = [{"_id": number, "host": node.host} for number, node in enumerate(self.nodes)]
        settings = {"electionTimeoutMillis": ELECTION_MILLISECONDS}
        try:
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members, "settings": settings})
        except PyMongoError:
            return False  # the other nodes do not answer yet
        finally:
            client.close()
        return True
