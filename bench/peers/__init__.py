"""The sides of `make bench-peers`: ourselves, the gateways people use today, and the SMSC they all speak to."""
