"""auth/login: the guide's clients exchange a username and a password for a bearer (guide §1.3)."""

from __future__ import annotations

from pydantic import BaseModel, Field

from carillon.api import auth
from carillon.api.endpoints import Call, NoParameters, Reply, endpoint
from carillon.api.errors import ApiError
from carillon.api.fields import Payload, Text, iso_date
from carillon.services import access, tokens


class Credentials(Payload):
    username: Text = Field(max_length=150, examples=["alice@example.com"], description="Login of the user.")
    password: Text = Field(max_length=1000, examples=["…"], description="Password of the user.")


class Session(BaseModel):
    token: str = Field(description="The secret, without the word Bearer.")
    bearer: str = Field(description="Value of the header Authorization, the word Bearer included.")
    expiresAt: str = Field(description="End of the session, ISO 8601.")
    userOwnerID: str
    customerID: str
    isTest: bool = Field(description="True: what is sent reaches the simulator only.")


@endpoint(
    "POST",
    "auth/login",
    name="signIn",
    scope=None,
    tag="Sign-in",
    payload=Credentials,
    answer=Session,
    errors=("bad_credentials", "address_not_allowed", "rate_limited"),
    example={"username": "alice@example.com", "password": "her password"},
)
def sign_in(call: Call, payload: Credentials) -> Reply:
    """Sign in.

    The bearer comes in the response header `Authorization`, ready to copy, and in the body. It is valid for twelve hours or
    until the password changes. For programs, a long-lived token made in the extranet is better: it survives the password.
    """
    address = auth.client_address(call.request)
    try:
        user = access.check_sign_in(payload.username, payload.password, address=address, now=call.now)
    except tokens.TooManyAttempts as error:
        raise ApiError("rate_limited", error.message, headers={"Retry-After": str(error.retry_after_s)}) from None
    auth.check_address(user.account, address)
    token, secret = tokens.open_session(user, now=call.now)
    body = {
        "token": secret,
        "bearer": f"Bearer {secret}",
        "expiresAt": iso_date(token.expires_at),
        "userOwnerID": token.user.public_id,
        "customerID": token.account.public_id,
        "isTest": token.is_test,
    }
    return Reply(body, headers={"Authorization": f"Bearer {secret}"})


class SignedOut(BaseModel):
    signedOut: bool


@endpoint(
    "POST",
    "auth/logout",
    name="signOut",
    scope="",
    tag="Sign-in",
    answer=SignedOut,
    is_addition=True,
)
def sign_out(call: Call, _: NoParameters) -> dict[str, bool]:
    """Sign out.

    Ends the bearer that auth/login gave. A long-lived token is not ended by this call: revoke it in the extranet.
    """
    if call.token is not None and call.token.is_session:
        tokens.end_session(call.token, now=call.now)
        return {"signedOut": True}
    return {"signedOut": False}
