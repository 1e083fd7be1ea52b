"""The notifier: turns what rules concludes into courteous mail and SMS, each sent once. It judges no duty."""
