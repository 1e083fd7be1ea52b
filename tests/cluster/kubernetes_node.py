"""A Kubernetes node of the tests' own: every program of one, in the namespaces of `in-root.sh`, where nobody else is.

As the network is nobody else's, one token opens everything and certificates are not checked. NetworkPolicies are
enforced between pods, by kube-network-policies of Kubernetes' network group. What a pod asks of the node itself, where
the names are looked up, is not judged.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.clients.installed_system import wait_until

NODE = "node"
ADDRESS = "10.9.0.1"
PODS, SERVICES = "10.244.0.0/16", "10.96.0.0/16"
COMMAND_SECONDS = 300
START_SECONDS = 300.0
POLICY_QUEUE = 100  # as in node/policies.go
CGROUP = "dondoc-engine"  # removed by in-root.sh when everything has ended

# What the kubelet would change for this whole machine; it changes copies.
TUNABLES = (
    "vm/overcommit_memory",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: node, cluster: {{server: "https://127.0.0.1:6443", insecure-skip-tls-verify: true}}}}]
users: [{{name: admin, user: {{token: {token}}}}}]
contexts: [{{name: node, context: {{cluster: node, user: admin}}}}]
current-context: node
"""
KUBELET = """\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
cgroupDriver: cgroupfs
cgroupRoot: /{cgroup}
clusterDNS: [{address}]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
enforceNodeAllocatable: []
evictionHard: {{imagefs.available: 1%, nodefs.available: 1%, memory.available: 100Mi}}
failSwapOn: false
imageGCHighThresholdPercent: 100
localStorageCapacityIsolation: false
resolvConf: ""
"""
CONTAINERD = """\
version = 2
root = "{folder}/images"
state = "/run/containerd"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/stand-in/pause:latest"
  disable_apparmor = true
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "{folder}/cni"
"""
BRIDGE = {
    "cniVersion": "0.4.0",
    "name": "pods",
    "type": "bridge",
    "bridge": "cni0",
    "isGateway": True,
    "ipMasq": True,
    "hairpinMode": True,
    "ipam": {"type": "host-local", "subnet": "10.244.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]},
}
COREDNS = """\
.:53 {{
    errors
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {folder}/kubeconfig
    }}
}}
"""


class KubernetesNode:
    """A control plane and its only node. Its state is in *folder*, and new at each start but for the images."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self._root = root
        self._children: list[subprocess.Popen[bytes]] = []
        self._token = secrets.token_hex(16)

    def start(self) -> None:
        """Start every program, and wait until the node is ready."""
        self._write_configuration()
        self._make_network()
        self._protect_machine()
        self._spawn("containerd", "containerd", "--config", str(self.folder / "containerd.toml"))
        self._start_control_plane()
        self._start_node()
        wait_until(self._is_ready, "the node is ready", timeout=START_SECONDS)

    def stop(self) -> None:
        """Stop every program, the last first. What they have started ends with the namespaces."""
        for child in reversed(self._children):
            child.terminate()
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run `kubectl` and return what it prints; raise if it fails."""
        done = subprocess.run(
            [str(self.folder / NODE), "kubectl", *arguments],
            env={**os.environ, "KUBECONFIG": str(self.folder / "kubeconfig")},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def get(self, kind: str, *arguments: str) -> Any:
        """Return objects as the API shows them."""
        return json.loads(self.kubectl("get", kind, *arguments, "--output", "json"))

    def programs(self) -> Path:
        """Return a folder with a `kubectl` that is this node's."""
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "kubectl").write_text(f'#!/bin/sh\nexec {self.folder / NODE} kubectl "$@"\n', encoding="utf-8")
        (folder / "kubectl").chmod(0o755)
        return folder

    def url_of(self, namespace: str, service: str, port: int) -> str:
        """Return the address of a Service, which this machine's namespace reaches as any pod does."""
        return f"http://{self.get('service', '-n', namespace, service)['spec']['clusterIP']}:{port}"

    def wait_until_available(self) -> None:
        """Wait until every Deployment and StatefulSet has rolled out, and every Job has completed."""
        for namespace in ("kafka", "mongo", "mail", "dondoc"):
            for kind in ("deployment", "statefulset"):
                for one in self.get(kind, "-n", namespace)["items"]:
                    name = one["metadata"]["name"]
                    self.kubectl("-n", namespace, "rollout", "status", f"{kind}/{name}", "--timeout=280s")

    def kill(self, pattern: str, number: signal.Signals) -> None:
        """Send a signal to the processes in pods whose command line holds *pattern*."""
        found = 0
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if pattern in command and int(folder.name) != os.getpid():
                os.kill(int(folder.name), number)
                found += 1
        assert found, f"no process runs {pattern}"

    def import_images(self, archive: Path) -> None:
        """Give containerd the images of an archive that `docker save` has written, unless it has them."""
        stamp = self.folder / "imported"
        found = f"{archive.stat().st_mtime_ns}"
        if stamp.exists() and stamp.read_text(encoding="utf-8") == found:
            return
        command = self._in_root("ctr", "--namespace", "k8s.io", "images", "import", str(archive))
        subprocess.run(command, check=True, capture_output=True, timeout=900)
        stamp.write_text(found, encoding="utf-8")

    def _write_configuration(self) -> None:
        for name in ("etcd", "kubelet", "logs", "cni", "pki"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in ("logs", "cni", "pki", "kubelet"):
            (self.folder / name).mkdir(parents=True)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        files = {
            "pki/service-account.key": pem.decode(),
            "pki/tokens.csv": f"{self._token},admin,admin,system:masters\n",
            "kubeconfig": KUBECONFIG.format(token=self._token),
            "kubelet.yaml": KUBELET.format(address=ADDRESS, cgroup=CGROUP),
            "containerd.toml": CONTAINERD.format(folder=self.folder),
            "cni/10-pods.conf": json.dumps(BRIDGE),
            "Corefile": COREDNS.format(folder=self.folder),
        }
        for name, text in files.items():
            (self.folder / name).write_text(text, encoding="utf-8")

    def _make_network(self) -> None:
        """Give the node an address of its own, on a cable that leads back to it, and let it route."""
        for command in (
            "ip link add node0 type veth peer name node1",
            "ip link set node1 up",
            f"ip address add {ADDRESS}/24 dev node0",
            "ip link set node0 up",
            "ip route add default dev node0",
            "sysctl -q -w net.ipv4.ip_forward=1",
            "sysctl -q -w net.bridge.bridge-nf-call-iptables=1",
        ):
            subprocess.run(command.split(), check=True)

    def _protect_machine(self) -> None:
        """Put copies before the kernel's tunables, and make the control group below which all others are."""
        for name in TUNABLES:
            copy = self.folder / "tunables" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(Path("/proc/sys", name).read_text(encoding="utf-8"), encoding="utf-8")
            subprocess.run(self._in_root("mount", "--bind", str(copy), f"/proc/sys/{name}"), check=True)
        controllers = [one for one in Path("/sys/fs/cgroup").iterdir() if (one / "cgroup.procs").exists()]
        for controller in controllers or [Path("/sys/fs/cgroup")]:
            (controller / CGROUP).mkdir(exist_ok=True)

    def _start_control_plane(self) -> None:
        pki, kubeconfig = self.folder / "pki", f"--kubeconfig={self.folder}/kubeconfig"
        self._program("etcd", f"--data-dir={self.folder}/etcd", "--unsafe-no-fsync")
        self._program(
            "kube-apiserver",
            "--etcd-servers=http://127.0.0.1:2379",
            f"--advertise-address={ADDRESS}",
            f"--cert-dir={pki}",
            f"--token-auth-file={pki}/tokens.csv",
            "--authorization-mode=RBAC",
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-account-key-file={pki}/service-account.key",
            f"--service-account-signing-key-file={pki}/service-account.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-cluster-ip-range={SERVICES}",
        )
        wait_until(self._api_answers, "the API answers", timeout=START_SECONDS)
        self._program(
            "kube-controller-manager",
            kubeconfig,
            f"--service-account-private-key-file={pki}/service-account.key",
            "--use-service-account-credentials=false",
            "--leader-elect=false",
        )
        self._program("kube-scheduler", kubeconfig, "--leader-elect=false")

    def _start_node(self) -> None:
        kubeconfig = f"--kubeconfig={self.folder}/kubeconfig"
        self._program(
            "kubelet",
            kubeconfig,
            f"--config={self.folder}/kubelet.yaml",
            f"--root-dir={self.folder}/kubelet",
            f"--node-ip={ADDRESS}",
            f"--hostname-override={NODE}",
        )
        self._program(
            "kube-proxy",
            kubeconfig,
            "--proxy-mode=iptables",
            "--masquerade-all",
            f"--cluster-cidr={PODS}",
            f"--hostname-override={NODE}",
            "--conntrack-max-per-core=0",
            "--conntrack-tcp-timeout-established=0s",
            "--conntrack-tcp-timeout-close-wait=0s",
        )
        self._program("coredns", "-conf", str(self.folder / "Corefile"))
        self._enforce_policies()

    def _enforce_policies(self) -> None:
        """Hand the first packet of each connection between pods to who judges it; without an answer it is dropped."""
        rule = f"iptables -t mangle -A FORWARD -m conntrack --ctstate NEW -j NFQUEUE --queue-num {POLICY_QUEUE}"
        subprocess.run(self._in_root(*rule.split()), check=True)
        self._program("kube-network-policies", f"--kubeconfig={self.folder}/kubeconfig", f"--hostname-override={NODE}")

    def _program(self, name: str, *arguments: str) -> None:
        self._spawn(name, str(self.folder / NODE), name, *arguments)

    def _spawn(self, name: str, *command: str) -> None:
        with (self.folder / f"logs/{name}.log").open("wb") as log:
            self._children.append(subprocess.Popen(self._in_root(*command), stdout=log, stderr=log))

    def _api_answers(self) -> bool:
        return self._asks("get", "--raw=/readyz")

    def _is_ready(self) -> bool:
        ready = "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}"
        return self._asks("get", "nodes", "--output", ready, expected="True")

    def _asks(self, *arguments: str, expected: str = "") -> bool:
        dead = [child.args for child in self._children if child.poll() is not None]
        assert dead == [], f"ended; see {self.folder}/logs"
        try:
            return expected in self.kubectl(*arguments)
        except AssertionError:
            return False

    def _in_root(self, *command: str) -> list[str]:
        return ["nsenter", "--mount=/proc/self/ns/mnt", *command]
