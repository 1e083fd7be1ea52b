"""What comes back about a message that was accepted: mails in the return mailbox, receipts of a gateway over HTTP."""
