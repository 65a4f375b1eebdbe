"""The sides of `make bench-gateway`: ourselves, the gateways people use today, and the SMSC they all speak to."""
