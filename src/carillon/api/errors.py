"""Errors as the API answers them: one table of codes, one body, one translation from the domain's errors.

Body: `{"code", "message", "param", "line"?, "details"?, "doc_url", "request_id"}`. `code` is stable; `message` is a sentence
for the person who reads the log. Each code has a page under /api/errors/<code>, written from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from carillon.domain import errors as domain


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One line of the table: HTTP status, what it means, what to do about it."""

    code: str
    status: int
    meaning: str
    remedy: str


_ROWS = (
    ErrorCode("bad_json", 400, "The body is not a JSON object in UTF-8.", "Send one JSON object; the message says where reading stopped."),
    ErrorCode("bad_encoding", 400, "The body, or one of its texts, holds bytes or characters that are not valid Unicode text.", "Encode the body in UTF-8; leave out NUL characters and unpaired surrogates."),
    ErrorCode("too_deep", 400, "The JSON is nested deeper than any request needs.", "At most 20 levels."),
    ErrorCode("checksum_mismatch", 400, "The SHA-256 in X-Content-SHA256 is not that of the bytes received.", "Compute it over the exact body (for an upload: over the file), in hexadecimal or Base64."),
    ErrorCode("period_too_long", 400, "A report by period covers more than 7 days.", "Ask again with the `to` named in the message, then continue from there."),
    ErrorCode("fiql_syntax", 400, "The FIQL expression in `search` cannot be read.", "The message gives the place. `,` is or, `;` is and, `==` equals, `=re=` with a trailing `*` begins with."),
    ErrorCode("fiql_field", 400, "`search` names something that cannot be searched.", "Use fields.<COLUMN>, item, type or msg."),
    ErrorCode("fiql_too_large", 400, "`search` has too many comparisons, groups or stars.", "At most 200 comparisons and 10,000 characters."),
    ErrorCode("search_too_slow", 400, "The search was stopped: it looks at too many messages.", "Shorten the period, or add a number: `item==…` is the fastest."),
    ErrorCode("unauthenticated", 401, "No token, or one that is unknown, expired or revoked.", "Sign in at auth/login, or create a token, and send it as `Authorization: Bearer …`."),
    ErrorCode("bad_credentials", 401, "The username or the password is wrong, or the login is inactive.", "Check both. After several failures the sign-in waits before it answers again."),
    ErrorCode("insufficient_credit", 402, "The campaign costs more than the account has.", "Buy credits or shorten the list; nothing was sent and the campaign is kept as DRAFT."),
    ErrorCode("forbidden", 403, "The token is valid, the role or the account may not do this.", "The message says which right is missing."),
    ErrorCode("missing_scope", 403, "The token was created without the scope this call needs.", "Create a token with the scope named in the message."),
    ErrorCode("address_not_allowed", 403, "The caller's IP address is not on the account's list.", "The message names the address seen; an administrator adds it to the account's list."),
    ErrorCode("https_required", 403, "The request came over plain HTTP.", "Use https. A token sent over http should be revoked."),
    ErrorCode("not_found", 404, "No such thing for this account.", "Check the number, and that it belongs to the account and user of the token."),
    ErrorCode("no_such_path", 404, "The address is not one of this API.", "See the list at /MediasflowApi or /api/openapi.json."),
    ErrorCode("method_not_allowed", 405, "The address exists, not with this verb.", "The header Allow names the verbs."),
    ErrorCode("campaign_not_found", 404, "There is no such campaign for this account and user.", "Check the number, and whose token it is: a user sees his own campaigns, an administrator the account's."),
    ErrorCode("list_not_found", 404, "There is no such list for this account and user.", "Use the id that lists/upload answered."),
    ErrorCode("conflict", 409, "Right request, wrong moment: the state of the campaign does not allow it.", "Read the campaign; the message names its state."),
    ErrorCode("not_a_draft", 409, "Only a DRAFT can be changed or sent.", "A scheduled campaign can be cancelled first; a sent one can be duplicated."),
    ErrorCode("not_scheduled", 409, "Only a SCHEDULED campaign can be cancelled.", "Read its status."),
    ErrorCode("list_not_ready", 409, "The list is still being analysed.", "Wait until the upload has answered."),
    ErrorCode("no_connector", 409, "No carrier is set up that could take the message.", "The operator of the platform adds a connector or a route. A test token needs a simulator."),
    ErrorCode("too_late", 409, "A scheduled campaign can be cancelled up to 10 seconds before its time.", "It is being sent."),
    ErrorCode("idempotency_in_progress", 409, "A request with the same Idempotency-Key is still being answered.", "Repeat it after the delay in Retry-After."),
    ErrorCode("too_large", 413, "The body is larger than this call accepts.", "8 MB for JSON, 1 GB for a list; send long lists with lists/upload."),
    ErrorCode("invalid_input", 422, "A value is missing or not possible.", "`param` names the field; `details` lists every other field at fault."),
    ErrorCode("idempotency_mismatch", 422, "The same Idempotency-Key came with a different request.", "Use a new key for each new request."),
    ErrorCode("sender_invalid", 422, "The sender breaks the rules for sender names.", "3 to 11 letters and digits without accents, not only digits."),
    ErrorCode("sender_refused", 422, "The operators of the platform refused this sender.", "Use another, or none for the short code."),
    ErrorCode("too_many_recipients", 422, "More than 50 numbers stand in listRecipient.", "Upload them with lists/upload and give its number as listsId."),
    ErrorCode("no_recipient", 422, "Nobody is left to write to.", "Give listRecipient, or a list with at least one line."),
    ErrorCode("message_empty", 422, "The text is empty.", "Give msg."),
    ErrorCode("template_syntax", 422, "The text cannot be read in the syntax of the renderer.", "The message gives the place; check `renderer`."),
    ErrorCode("ucs2_not_allowed", 422, "The text has characters outside GSM 7-bit and allowUCS2 is false.", "Take them out, set allowUCS2, or leave autoREPLACETOGSM7 on for those that have a replacement."),
    ErrorCode("date_too_close", 422, "scheduleOn is less than 5 minutes after the order was received.", "Give a later moment, or leave scheduleOn out to send now."),
    ErrorCode("date_in_the_past", 422, "scheduleOn is over.", "Check the zone: Z is UTC, a date without zone is the account's time."),
    ErrorCode("out_of_hours", 422, "Marketing messages may not be sent at the given moment.", "The message names the next moment that is allowed."),
    ErrorCode("rate_limited", 429, "The token has used its requests for this minute.", "Wait for the delay in Retry-After; the headers RateLimit-* tell how many are left."),
    ErrorCode("internal", 500, "Something broke on our side; it is in our log under the request's number.", "Repeat with an Idempotency-Key; give us the request_id if it persists."),
    ErrorCode("unavailable", 503, "The platform cannot answer just now.", "Repeat after the delay in Retry-After."),
)  # fmt: skip

CODES: dict[str, ErrorCode] = {row.code: row for row in _ROWS}

# HTTP status of domain errors whose code has no line of its own.
_DOMAIN = (
    (domain.InvalidInput, "invalid_input"),
    (domain.NotFound, "not_found"),
    (domain.Forbidden, "forbidden"),
    (domain.Conflict, "conflict"),
    (domain.InsufficientCredit, "insufficient_credit"),
    (domain.Refused, "invalid_input"),
    (domain.CarrierError, "unavailable"),
)


class ApiError(Exception):
    """Ends a call with the given code; `details` are further {"param", "message"} entries."""

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        param: str | None = None,
        line: int | None = None,
        details: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        row = CODES[code]
        super().__init__(message or row.meaning)
        self.code = code
        self.status = row.status
        self.message = message or row.meaning
        self.param = param
        self.line = line
        self.details = details
        self.headers = headers or {}


def from_domain(error: domain.CarillonError) -> ApiError:
    """A service's error keeps its sentence, and its own code when the table has it for the same kind of error."""
    fallback = next((code for kind, code in _DOMAIN if isinstance(error, kind)), "internal")
    param = getattr(error, "field", None)
    code = error.code if error.code in CODES and _fits(error.code, fallback) else fallback
    return ApiError(code, error.message, param=param, line=getattr(error, "line", None))


def _fits(code: str, fallback: str) -> bool:
    """A wrong value stays a 4xx about values: "address_not_allowed" of a webhook's URL is not that of a caller."""
    status, usual = CODES[code].status, CODES[fallback].status
    return fallback == "internal" or status == usual or (usual == 422 and status in (400, 413))


def body(error: ApiError, *, request_id: str, doc_base: str) -> dict[str, Any]:
    """`doc_base` is the public address of the pages, without the code."""
    answer: dict[str, Any] = {"code": error.code, "message": error.message, "param": error.param}
    if error.line is not None:
        answer["line"] = error.line
    if error.details:
        answer["details"] = error.details
    answer["doc_url"] = f"{doc_base}/{error.code}"
    answer["request_id"] = request_id
    return answer
