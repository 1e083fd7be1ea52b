"""The SMS centre, tested with the library that the notifier uses."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import smpplib.client
import smpplib.exceptions
import smpplib.gsm

from deploy.local.servers.message_servers import Smsc

NUMBER = "84900000001"
ACCOUNT = "dondoc"  # system id and password of the local centre
THROTTLED = 0x58


@dataclass(slots=True)
class SmsClient:
    """A client bound to the centre, which records each response and each delivery receipt."""

    client: smpplib.client.Client
    ids: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)

    def send(self, text: str) -> None:
        """Send *text* in as many parts as it needs, with a receipt requested for each."""
        parts, coding, esm_class = smpplib.gsm.make_parts(text)
        for part in parts:
            self.client.send_message(
                source_addr="DONDOC",
                destination_addr=NUMBER,
                short_message=part,
                data_coding=coding,
                esm_class=esm_class,
                registered_delivery=True,
            )

    def read(self, units: int) -> None:
        """Read that many PDUs from the centre."""
        for _ in range(units):
            self.client.read_once()


def connect(port: int) -> SmsClient:
    """Bind as a transceiver."""
    phone = SmsClient(smpplib.client.Client("127.0.0.1", port, timeout=5, allow_unknown_opt_params=True))
    phone.client.set_message_sent_handler(lambda pdu: phone.ids.append(pdu.message_id.decode()))
    phone.client.set_message_received_handler(lambda pdu: phone.receipts.append(pdu.short_message.decode()))
    phone.client.connect()
    phone.client.bind_transceiver(system_id=ACCOUNT, password=ACCOUNT)
    return phone


@pytest.fixture
def phone(smsc: Smsc) -> Iterator[SmsClient]:
    """A client bound to the centre with an empty log."""
    bound = connect(smsc.port)
    yield bound
    bound.client.unbind()
    bound.client.disconnect()


def test_a_long_accented_message_arrives_whole(smsc: Smsc, phone: SmsClient) -> None:
    """Parts are joined and decoded, and each part has its id and its receipt."""
    text = "Kính gửi UBND huyện Đông Sơn: báo cáo năm 2024 đã quá hạn. " * 3
    phone.send(text)
    phone.read(6)
    [message] = smsc.messages()
    assert (message["text"], message["parts"], message["encoding"]) == (text, 3, "ucs2")
    assert message["message_ids"] == phone.ids
    assert [receipt.split()[0] for receipt in phone.receipts] == [f"id:{one}" for one in phone.ids]
    assert all("stat:DELIVRD" in receipt for receipt in phone.receipts)


@pytest.mark.parametrize("status", [THROTTLED, 0x0B])
def test_a_planted_status_refuses_the_message(smsc: Smsc, phone: SmsClient, status: int) -> None:
    """A refused message is not in the log, and the next attempt is accepted."""
    smsc.inject_faults({NUMBER: [{"status": status}]})
    phone.send("x")
    with pytest.raises(smpplib.exceptions.PDUError, match=str(status)):
        phone.read(1)
    phone.send("y")
    phone.read(2)
    assert [message["text"] for message in smsc.messages()] == ["y"]


def test_a_planted_receipt_reports_failure(smsc: Smsc, phone: SmsClient) -> None:
    """A message may be accepted and never reach its handset; the receipt says so."""
    smsc.inject_faults({NUMBER: [{"receipt": "UNDELIV"}]})
    phone.send("x")
    phone.read(2)
    assert "stat:UNDELIV" in phone.receipts[0]


def test_a_wrong_password_is_refused(smsc: Smsc) -> None:
    """A bind with an unknown account or a wrong password is refused."""
    client = smpplib.client.Client("127.0.0.1", smsc.port, timeout=5, allow_unknown_opt_params=True)
    client.connect()
    with pytest.raises(smpplib.exceptions.PDUError):
        client.bind_transceiver(system_id=ACCOUNT, password="guess")
    client.disconnect()


def test_a_message_may_be_taken_and_never_answered(smsc: Smsc) -> None:
    """The sender gets no response, as after a crash of the centre."""
    smsc.inject_faults({NUMBER: [{"drop": True}]})
    phone = connect(smsc.port)
    phone.send("x")
    with pytest.raises(smpplib.exceptions.ConnectionError):
        phone.read(1)
    phone.client.disconnect()
    assert [message["text"] for message in smsc.messages()] == ["x"]
