"""A real mail system, not written here: Postfix accepts, delivers and bounces mail, Dovecot serves the mailboxes.

Postfix starts as root only. Both deliver and read as an unprivileged user, in a folder that he may enter.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from deploy.local.process.daemon import Daemon, Program
from tests.support.servers.certificates import Issued
from tests.support.servers.smtp_sink import is_listening

MAIL_USER = 65534  # nobody: Dovecot gives root no mail
PASSWORD = "mailbox-of-the-tests"

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.test.example
mydestination =
alias_maps =
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = regexp:{folder}/etc/mailboxes
virtual_uid_maps = static:{user}
virtual_gid_maps = static:{user}
smtpd_reject_unlisted_recipient = no
smtputf8_enable = no
{more}
"""
_MASTER = """\
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
_DOVECOT = """\
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
log_path = /dev/stderr
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
passdb {{
  driver = static
  args = password={{PLAIN}}{password}
}}
userdb {{
  driver = static
  args = uid={user} gid={user} home={folder}/mail
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


class Postfix(Daemon):
    """One Postfix that takes mail on *port*.

    *mailboxes* are patterns of addresses with the name of the mailbox that they go to; any other address in *domains*
    bounces. *parameters* are further ones of `main.cf`.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        domains: str,
        mailboxes: Mapping[str, str],
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        etc = folder / "etc"
        etc.mkdir(parents=True)
        for name in ("queue", "data", "mail"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        os.chown(folder / "mail", MAIL_USER, MAIL_USER)
        more = "\n".join(f"{name} = {value}" for name, value in (parameters or {}).items())
        main = _MAIN.format(folder=folder, domains=domains, user=MAIL_USER, more=more)
        (etc / "main.cf").write_text(main, encoding="ascii")
        (etc / "master.cf").write_text(_MASTER.format(port=port), encoding="ascii")
        lines = (f"/{pattern}/ {name}/\n" for pattern, name in mailboxes.items())
        (etc / "mailboxes").write_text("".join(lines), encoding="ascii")
        command = ("/usr/sbin/postfix", "-c", str(etc), "start-fg")
        super().__init__(
            Program(name="postfix-master", command=command, folder=folder, is_ready=lambda: is_listening(port))
        )

    def count_mails(self, mailbox: str) -> int:
        """Return how many mails lie in *mailbox*."""
        return sum(1 for state in ("new", "cur") for _ in (self.folder / "mail" / mailbox / state).glob("*"))


class Dovecot(Daemon):
    """One Dovecot that serves the mailboxes in *folder* on *port*, over STARTTLS only; every password is `PASSWORD`."""

    def __init__(self, folder: Path, port: int, certificate: Issued) -> None:
        config = folder / "dovecot.conf"
        text = _DOVECOT.format(
            folder=folder,
            certificate=certificate.certificate,
            key=certificate.key,
            password=PASSWORD,
            user=MAIL_USER,
            port=port,
        )
        config.write_text(text, encoding="ascii")
        command = ("/usr/sbin/dovecot", "-F", "-c", str(config))
        super().__init__(Program(name="dovecot", command=command, folder=folder, is_ready=lambda: is_listening(port)))
