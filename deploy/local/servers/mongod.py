"""A real mongod as a single-node replica set in a child process."""

import os
import shutil
import sysconfig
from pathlib import Path

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.errors import ProgramMissingError
from deploy.local.process import ports
from deploy.local.process.daemon import Daemon, Program

REPLICA_SET = "rs0"
PROBE_MILLISECONDS = 500
NOT_YET_INITIALISED = 94  # MongoDB's error code for a replica set without a configuration


class Mongod(Daemon):
    """A database on 127.0.0.1 with its data in *folder*. As a replica set it supports transactions."""

    def __init__(self, folder: Path, *, port: int, has_fail_points: bool = False) -> None:
        """With *has_fail_points* a test may make commands fail by `configureFailPoint`."""
        self.port = port
        self.host = f"{ports.LOOPBACK}:{port}"
        self.url = f"mongodb://{self.host}/?replicaSet={REPLICA_SET}"
        self._data = folder / "mongo"
        command = (
            str(binary()),
            *("--replSet", REPLICA_SET, "--bind_ip", ports.LOOPBACK, "--port", str(port), "--dbpath", str(self._data)),
            *("--wiredTigerCacheSizeGB", "0.5", "--nounixsocket", "--quiet"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *(("--setParameter", "enableTestCommands=1") if has_fail_points else ()),
        )
        super().__init__(Program(name="mongod", command=command, folder=folder, is_ready=self._is_primary))

    def launch(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        super().launch()

    def _is_primary(self) -> bool:
        """Return whether the node accepts writes; make it the only member of its replica set if it has none yet."""
        client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(
            self.host, directConnection=True, serverSelectionTimeoutMS=PROBE_MILLISECONDS
        )
        try:
            if client.admin.command("hello").get("isWritablePrimary"):
                return True
            self._initiate_replica_set(client)
        except PyMongoError:
            return False
        finally:
            client.close()
        return False

    def _initiate_replica_set(self, client: "pymongo.MongoClient[dict[str, object]]") -> None:
        members = [{"_id": 0, "host": self.host}]
        try:
            current = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALISED:
                raise
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
            return
        if current["members"][0]["host"] != self.host:  # the port was changed after the data folder was created
            changed = {**current, "members": members, "version": current["version"] + 1}
            client.admin.command("replSetReconfig", changed, force=True)


def binary() -> Path:
    """Return the mongod that DONDOC_MONGOD names, else the one that `make setup` installed, else the system's."""
    installed = Path(sysconfig.get_path("purelib")) / "fiftyone" / "db" / "bin" / "mongod"
    candidates = (os.environ.get("DONDOC_MONGOD"), str(installed), shutil.which("mongod"))
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    raise ProgramMissingError("mongod is not installed; run `make setup`, or name one with DONDOC_MONGOD")
