"""The real mongod as a one-node replica set in one child process."""

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
    """A database on 127.0.0.1 with its data in *folder*; transactions work."""

    def __init__(self, folder: Path, *, port: int) -> None:
        self.port = port
        self.host = f"{ports.LOOPBACK}:{port}"
        self.url = f"mongodb://{self.host}/?replicaSet={REPLICA_SET}"
        self._data = folder / "mongo"
        command = (
            str(binary()),
            *("--replSet", REPLICA_SET, "--bind_ip", ports.LOOPBACK, "--port", str(port), "--dbpath", str(self._data)),
            *("--wiredTigerCacheSizeGB", "0.5", "--nounixsocket", "--quiet"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        )
        super().__init__(Program(name="mongod", command=command, folder=folder, is_ready=self._is_primary))

    def launch(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        super().launch()

    def _is_primary(self) -> bool:
        """See whether the node takes writes, and make it the one member of its set if it is not in one yet."""
        client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(
            self.host, directConnection=True, serverSelectionTimeoutMS=PROBE_MILLISECONDS
        )
        try:
            if client.admin.command("hello").get("isWritablePrimary"):
                return True
            self._join(client)
        except PyMongoError:
            return False
        finally:
            client.close()
        return False

    def _join(self, client: "pymongo.MongoClient[dict[str, object]]") -> None:
        members = [{"_id": 0, "host": self.host}]
        try:
            known = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALISED:
                raise
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
            return
        if known["members"][0]["host"] != self.host:  # the port was moved since the data folder was made
            moved = {**known, "members": members, "version": known["version"] + 1}
            client.admin.command("replSetReconfig", moved, force=True)


def binary() -> Path:
    """Find mongod: the one DONDOC_MONGOD names, the one `make setup` installed, or the machine's own."""
    installed = Path(sysconfig.get_path("purelib")) / "fiftyone" / "db" / "bin" / "mongod"
    candidates = (os.environ.get("DONDOC_MONGOD"), str(installed), shutil.which("mongod"))
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    raise ProgramMissingError("mongod is not installed; run `make setup`, or name one with DONDOC_MONGOD")
