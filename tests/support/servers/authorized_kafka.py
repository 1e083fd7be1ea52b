"""A broker with Kafka's own authorizer, the users of deploy/kafka/acls.py with passwords, and their rights."""

from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from deploy.kafka.acls import USERS, AccessRight, BusUser, Operation, Resource
from deploy.local.process.ports import free_ports
from deploy.local.servers.kafka import Kafka, Listener
from services.runtime.settings import Credentials, KafkaConfig, SaslMechanism

PASSWORD_OF = "mat khau cua {}"
SPARE_USERS = tuple(f"dondoc-spare-{number}" for number in range(12))  # for rights that a test makes up
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
# The listener without authentication is that of the broker itself and of the test; its clients are ANONYMOUS.
AUTHORIZER = """
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:ANONYMOUS
"""

# The numbers of Kafka's protocol.
RESOURCE_CODES = {Resource.TOPIC: 2, Resource.GROUP: 3, Resource.TRANSACTIONAL_ID: 5}
OPERATION_CODES = {Operation.READ: 3, Operation.WRITE: 4, Operation.CREATE: 5, Operation.DESCRIBE: 8}
LITERAL, PREFIXED = 3, 4
ALLOW = 3
ANY_HOST = "*"


class AuthorizedKafka(Kafka):
    """The broker; its second listener authenticates by password."""

    def __init__(self, folder: Path, *, jars: Path) -> None:
        self._folder = folder
        port, controller_port, guarded_port = free_ports(3)
        names = (*(user.name for user in USERS), *SPARE_USERS)
        passwords = " ".join(f'user_{name}="{PASSWORD_OF.format(name)}"' for name in names)
        self.guarded = Listener(
            name="GUARDED",
            port=guarded_port,
            advertised_port=guarded_port,
            protocol="SASL_PLAINTEXT",
            settings={"sasl.enabled.mechanisms": "PLAIN", "plain.sasl.jaas.config": f"{PLAIN} {passwords};"},
        )
        super().__init__(folder, jars=jars, port=port, controller_port=controller_port, extra_listeners=(self.guarded,))

    def environment(self, user: BusUser) -> dict[str, str]:
        """Return the variables of a process that is *user*."""
        return {
            "DONDOC_KAFKA_BOOTSTRAP": self.guarded.bootstrap,
            "DONDOC_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "DONDOC_KAFKA_SASL_MECHANISM": SaslMechanism.PLAIN,
            "DONDOC_KAFKA_USERNAME": user.name,
            "DONDOC_KAFKA_PASSWORD_FILE": str(self._password_file(user)),
        }

    def config(self, user: BusUser) -> KafkaConfig:
        """Return how a client of *user* connects."""
        credentials = Credentials(
            username=user.name, password_file=self._password_file(user), mechanism=SaslMechanism.PLAIN
        )
        return KafkaConfig(bootstrap=self.guarded.bootstrap, credentials=credentials)

    async def grant(self, *users: BusUser) -> None:
        """Give *users* their rights."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            for user in users:
                for request in (one for right in user.rights for one in _requests(user, right)):
                    response = await admin._send_to_controller(request)
                    assert [code for code, _message in response.creation_responses] == [0]
        finally:
            await admin.close()

    def _password_file(self, user: BusUser) -> Path:
        file = self._folder / f"{user.name}.password"
        file.write_text(PASSWORD_OF.format(user.name), encoding="utf-8")
        return file

    def _write_configuration(self, data: Path) -> None:
        super()._write_configuration(data)
        with self._configuration.open("a", encoding="utf-8") as file:
            file.write(AUTHORIZER)


def _requests(user: BusUser, right: AccessRight) -> list[CreateAclsRequest]:
    pattern = PREFIXED if right.is_prefix else LITERAL
    principal = f"User:{user.name}"
    return [
        CreateAclsRequest(
            RESOURCE_CODES[right.resource],
            right.name,
            pattern,
            principal,
            ANY_HOST,
            OPERATION_CODES[operation],
            ALLOW,
        )
        for operation in right.operations
    ]
