"""Who may do what: the form of bearer keys, and the revocation of links; shared by the services that check them."""
