"""An S3-compatible store on this machine that checks signatures: moto's server as a process, one user, one bucket."""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]  # ships no annotations
from botocore.config import Config  # type: ignore[import-untyped]  # ships no annotations

from deploy.local.process.daemon import Daemon, Program
from deploy.local.process.ports import LOOPBACK, free_ports

BUCKET = "reports"
ADDRESS = f"s3://{BUCKET}/attachments"

# Requests that need no key yet, because they create the first one.
SETTING_UP = 3

_POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}]}


class ObjectStore(Daemon):
    """The store. It keeps everything in memory."""

    def __init__(self, folder: Path) -> None:
        port = free_ports(1)[0]
        self.url = f"http://{LOOPBACK}:{port}"
        self._key: dict[str, str] = {}
        super().__init__(
            Program(
                name="object-store",
                command=(sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)),
                folder=folder,
                is_ready=lambda: _answers(port),
                environment={"INITIAL_NO_AUTH_ACTION_COUNT": str(SETTING_UP)},
            )
        )

    def start(self) -> None:
        """Start it and create the user and the bucket."""
        super().start()
        iam = self._client("iam", "nobody", "yet")
        iam.create_user(UserName="intake")
        iam.put_user_policy(UserName="intake", PolicyName="store", PolicyDocument=json.dumps(_POLICY))
        self._key = iam.create_access_key(UserName="intake")["AccessKey"]
        self._s3.create_bucket(Bucket=BUCKET)

    def environment(self, **changes: str) -> dict[str, str]:
        """Return the variables that an operator sets for intake."""
        return {
            "AWS_ENDPOINT": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": self._key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self._key["SecretAccessKey"],
            "DONDOC_INTAKE_ATTACHMENTS": ADDRESS,
            **changes,
        }

    def objects(self) -> dict[str, bytes]:
        """Return every object in the bucket, read with another client than intake's."""
        found = self._s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {one["Key"]: self._s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in found}

    @property
    def _s3(self) -> Any:
        return self._client("s3", self._key["AccessKeyId"], self._key["SecretAccessKey"])

    def _client(self, service: str, key: str, secret: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 1}, proxies={}),
        )


def _answers(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
