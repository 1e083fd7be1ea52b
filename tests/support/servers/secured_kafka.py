"""A broker that authenticates its clients, and the credentials that a client needs."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local.process.ports import free_ports
from deploy.local.servers.kafka import Kafka, Listener, java_command
from tests.support.servers.certificates import Authority, Issued

USER = "dondoc"
PASSWORD = "mat khau cua Don Doc"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuredKafka:
    """The broker, its two secured listeners, and the files with credentials."""

    kafka: Kafka
    by_password: Listener
    by_certificate: Listener
    authority: Authority
    client: Issued
    folder: Path

    def environment(self, mechanism: str = "SCRAM-SHA-512", *, password: str = PASSWORD) -> dict[str, str]:
        """Return the variables of a service that authenticates with its password."""
        file = self.folder / f"password-{len(list(self.folder.glob('password-*')))}"
        file.write_text(f"{password}\n", encoding="utf-8")
        return {
            "DONDOC_KAFKA_BOOTSTRAP": self.by_password.bootstrap,
            "DONDOC_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "DONDOC_KAFKA_CA_FILE": str(self.authority.certificate),
            "DONDOC_KAFKA_SASL_MECHANISM": mechanism,
            "DONDOC_KAFKA_USERNAME": USER,
            "DONDOC_KAFKA_PASSWORD_FILE": str(file),
        }


def secured_kafka(folder: Path, jars: Path) -> SecuredKafka:
    """Create the broker without starting it."""
    folder.mkdir()
    authority = Authority(folder, "authority")
    server = authority.issue("broker")
    port, controller_port, safe, certified = free_ports(4)
    tls = {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(server.both)}
    by_password = Listener(
        name="PASSWORD",
        port=safe,
        advertised_port=safe,
        protocol="SASL_SSL",
        settings={
            **tls,
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "plain.sasl.jaas.config": f'{PLAIN} user_{USER}="{PASSWORD}";',
            "scram-sha-512.sasl.jaas.config": SCRAM,
        },
    )
    trust = {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(authority.certificate)}
    by_certificate = Listener(
        name="CERTIFICATE",
        port=certified,
        advertised_port=certified,
        protocol="SSL",
        settings={**tls, **trust, "ssl.client.auth": "required"},
    )
    listeners = (by_password, by_certificate)
    return SecuredKafka(
        kafka=Kafka(folder, jars=jars, port=port, controller_port=controller_port, extra_listeners=listeners),
        by_password=by_password,
        by_certificate=by_certificate,
        authority=authority,
        client=authority.issue("client"),
        folder=folder,
    )


def set_password(secured: SecuredKafka, jars: Path, password: str = PASSWORD) -> None:
    """Set the user's password as the runbook describes it for an operator."""
    wanted = f"SCRAM-SHA-512=[password={password}]"
    whom = ("--entity-type", "users", "--entity-name", USER)
    command = ("kafka.admin.ConfigCommand", "--bootstrap-server", secured.kafka.bootstrap, "--alter", *whom)
    done = subprocess.run(
        (*java_command(jars), *command, "--add-config", wanted), check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
