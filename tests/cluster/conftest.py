"""One node and one installation of the development overlay for all tests of this folder."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cluster.kubernetes_node import KubernetesNode
from tests.support.clients.installed_system import CONTACTS, InstalledSystem

ROOT = Path(__file__).parents[2]
OVERLAY = ROOT / "tests/cluster/overlay"
SECRETS = ROOT / "deploy/kubernetes/overlays/development/secrets.sh"

# Where the two `prepare.sh` have left the node and the images; `make cluster` names the folder.
PREPARED = os.environ.get("DONDOC_TEST_CONTAINERS", "")


@pytest.fixture(scope="session")
def node() -> Iterator[KubernetesNode]:
    """The running node, which has the images."""
    assert PREPARED, "run `make cluster`, which makes the node"
    folder = Path(PREPARED)
    found = KubernetesNode(folder / "cluster", folder / "root")
    found.start()
    found.import_images(folder / "images.tar")
    yield found
    found.stop()


@pytest.fixture(scope="session")
def keys(node: KubernetesNode) -> dict[str, str]:
    """The keys of the sender and the officer, whose Secrets are made as the README says."""
    folder = node.folder / "keys"
    shutil.rmtree(folder, ignore_errors=True)
    path = f"{node.programs()}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [str(SECRETS), str(folder)],
        env={**os.environ, "PATH": path, "KUBECONFIG": str(node.folder / "kubeconfig")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


@pytest.fixture(scope="session")
def installed(node: KubernetesNode, keys: dict[str, str]) -> Iterator[InstalledSystem]:
    """The system by the addresses of its Services, with everything available."""
    contacts = node.folder / "contacts.csv"
    contacts.write_text(CONTACTS, encoding="utf-8")
    node.kubectl("-n", "dondoc", "create", "secret", "generic", "contacts-file", f"--from-file={contacts}")
    node.kubectl("apply", "--kustomize", str(OVERLAY))
    node.wait_until_available()
    with httpx.Client(timeout=60) as client:
        yield InstalledSystem(
            client=client,
            intake=node.url_of("dondoc", "intake", 8001),
            reporting=node.url_of("dondoc", "reporting", 8004),
            mailbox=node.url_of("mail", "mail", 8025),
            sender=keys["sender"],
            reader=keys["reader"],
        )
