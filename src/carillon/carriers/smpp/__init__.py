"""SMPP 3.4: codec (pdu), one bind without I/O (session), the asyncio shell (client), receipts, inbound texts."""
