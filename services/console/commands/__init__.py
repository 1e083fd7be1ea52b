"""The commands of `dondoc`, one file each, in folders by what they are about."""
