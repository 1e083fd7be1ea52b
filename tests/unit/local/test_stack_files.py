"""The files of the local stack: mailbox, fault scripts, pid files; and its ports."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.errors import PortTakenError, StackError
from deploy.local.process import pidfile
from deploy.local.process.ports import LOOPBACK, Ports, free_ports, require_free
from deploy.local.servers.fault_script import FaultScript
from deploy.local.servers.mailbox import Mailbox


def test_a_mail_is_kept_with_its_envelope_on_top(tmp_path: Path) -> None:
    """The recipient is taken from the envelope and not from the headers that the sender wrote."""
    mailbox = Mailbox(tmp_path)
    name = mailbox.add("Subject: Đôn đốc\r\n\r\nx".encode(), sender="a@x.example", recipients=["b@x.example"])
    assert name == "000001.eml"
    assert mailbox.mail(name)["Delivered-To"] == "b@x.example"
    assert mailbox.mail(name)["Return-Path"] == "<a@x.example>"


def test_a_mailbox_counts_on_after_a_restart(tmp_path: Path) -> None:
    """The numbers continue after a restart, so that no mail of an earlier run is overwritten."""
    for _ in range(2):
        Mailbox(tmp_path).add(b"\r\n", sender="", recipients=[])
    assert Mailbox(tmp_path).names() == ["000001.eml", "000002.eml"]


def test_a_name_outside_the_mailbox_is_not_read(tmp_path: Path) -> None:
    """The page that shows mails cannot show any other file."""
    (tmp_path / "secret").write_text("x")
    with pytest.raises(FileNotFoundError):
        Mailbox(tmp_path / "mails").raw("../secret")


def test_faults_are_used_up_in_order(tmp_path: Path) -> None:
    """Each fault is used as often as it says, then the next one, then the server behaves normally."""
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"a": [{"status": 88, "times": 2}, {"status": 11}]}))
    script = FaultScript(path)
    assert [script.next_fault("a").get("status") for _ in range(4)] == [88, 88, 11, None]
    assert script.next_fault("b") == {}


def test_a_fault_may_last_for_ever(tmp_path: Path) -> None:
    """A fault with `times` 0 is never used up, and a rewritten script starts its counts again."""
    path = tmp_path / "script.json"
    script = FaultScript(path)
    path.write_text(json.dumps({"a": [{"status": 1, "times": 0}]}))
    assert [script.next_fault("a")["status"] for _ in range(3)] == [1, 1, 1]
    path.write_text("")
    assert script.next_fault("a") == {}


def test_a_process_id_counts_only_while_that_process_lives(tmp_path: Path) -> None:
    """A reused process id and that of an ended process are not accepted."""
    path = tmp_path / "x.pid"
    assert pidfile.read(path) is None
    pidfile.write(path, os.getpid())
    assert pidfile.read(path) == os.getpid()
    path.write_text(f"{os.getpid()} 1\n")
    assert pidfile.read(path) is None


def test_a_leftover_process_is_ended(tmp_path: Path) -> None:
    """The process group that a lost run left behind is killed, and its pid file removed."""
    path = tmp_path / "x.pid"
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(command, start_new_session=True) as child:
        pidfile.write(path, child.pid)
        assert pidfile.kill_leftover(path)
        assert child.wait(10) == -9
    assert not path.exists()


def test_a_taken_port_is_refused_with_the_variable_to_change() -> None:
    """The error names the variable to set."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        with pytest.raises(PortTakenError, match="set DONDOC_SMTP_PORT to a free port"):
            require_free("smtp", listener.getsockname()[1])


def test_ports_come_from_the_environment() -> None:
    """A variable changes one port; the others keep their defaults."""
    ports = Ports.from_environment({"DONDOC_KAFKA_PORT": "19092"})
    assert (ports.kafka, ports.mongo) == (19092, 27017)


@pytest.mark.parametrize("text", ["", "none", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    """The error for an invalid port names its variable."""
    with pytest.raises(StackError, match="DONDOC_MONGO_PORT"):
        Ports.from_environment({"DONDOC_MONGO_PORT": text})


def test_free_ports_are_all_different() -> None:
    """No port is returned twice."""
    assert len(set(free_ports(20))) == 20
