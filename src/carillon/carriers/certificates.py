"""Whom a connector trusts when it encrypts."""

from __future__ import annotations

import ssl

from carillon.domain.errors import CarrierError


def trusting(ca_file: str) -> ssl.SSLContext:
    """A client context that trusts the authorities in `ca_file`, or the system's. CarrierError when the file is no good."""
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise CarrierError(f"{ca_file} holds no usable certificates: {error}", is_retryable=False) from None
