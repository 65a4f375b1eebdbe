"""Reports per campaign and per period, CSV and JSON (guide §2.4 to §2.7): GET with a query, or POST with the same names."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import StreamingHttpResponse

from carillon.api.endpoints import Call, endpoint
from carillon.api.report_payload import CampaignReportPayload, PeriodPayload, media_of, period_of, statuses_of
from carillon.api.streams import stream
from carillon.services import campaigns, period_reports, period_tables, reports
from carillon.services.period_reports import Wanted

CSV = "text/csv; charset=utf-8"
JSON = "application/json; charset=utf-8"
ROWS = {
    "application/json": {
        "description": "An array of objects, keyed by the columns of the CSV, original columns included.",
        "type": "array",
        "items": {"type": "object", "additionalProperties": {"type": "string"}},
    }
}
TABLE = {
    "text/csv": {
        "description": (
            "REF_LIST;ID_LINE;INT_MOBILE;STATUS_CODE;STATUS_TEXT;DELIVERYDATE;REPLY;PREVIEW;PREVIEW_COUNTER;TRACK_1;"
            "TRACK_1_COUNTER;…;MF_ALLOW;MF_VALID;MF_COUNTRY, then the original columns. UTF-8 with BOM, CRLF."
        ),
        "type": "string",
    }
}


def _report(call: Call, payload: CampaignReportPayload) -> reports.Report:
    return reports.Report(
        campaigns.get(call.user, call.number()),
        statuses=statuses_of(payload.status),
        details=payload.details or None,
        language=call.user.language,
        legacy=payload.legacy,
    )


@endpoint(
    "GET POST",
    "campaigns/report/{campaign_id}",
    name="reportCsv",
    scope="reports",
    tag="Reports",
    payload=CampaignReportPayload,
    answer=TABLE,
    errors=("campaign_not_found", "invalid_input"),
)
def report_csv(call: Call, payload: CampaignReportPayload) -> StreamingHttpResponse:
    """Report of a campaign, CSV.

    One line per recipient. `status` keeps some codes (16 and 21 are one group, as are 10 and 28, 20 and 25, 29 and 30).
    `details` names the columns of your file to print. A number of rows of any size is streamed.
    """
    report = _report(call, payload)
    pieces = reports.csv_pieces(report.columns(), report.rows())
    return stream(call, pieces, content_type=CSV, file_name=f"campaign-{report.campaign.pk}.csv")


@endpoint(
    "GET POST",
    "campaigns/reportjson/{campaign_id}",
    name="reportJson",
    scope="reports",
    tag="Reports",
    payload=CampaignReportPayload,
    answer=ROWS,
    errors=("campaign_not_found", "invalid_input"),
)
def report_json(call: Call, payload: CampaignReportPayload) -> StreamingHttpResponse:
    """Report of a campaign, JSON."""
    report = _report(call, payload)
    return stream(call, reports.json_pieces(report.columns(), report.rows()), content_type=JSON)


def _wanted(call: Call, payload: PeriodPayload) -> Wanted:
    period = period_of(payload, now=call.now, zone=call.zone)
    return period_reports.wanted(
        actor=call.user,
        account_id=call.account.pk,
        since=period.since,
        until=period.until,
        user_public_id=payload.userID,
        media=media_of(payload.types),
        statuses=statuses_of(payload.status),
        search=payload.search or "",
    )


def _details(payload: PeriodPayload) -> Sequence[str] | None:
    return payload.keyField or payload.details or None


@endpoint(
    "GET POST",
    "campaigns/report",
    name="periodCsv",
    scope="reports",
    tag="Reports",
    payload=PeriodPayload,
    answer=TABLE,
    errors=("invalid_input", "period_too_long", "fiql_syntax", "fiql_field", "fiql_too_large", "search_too_slow"),
)
def period_csv(call: Call, payload: PeriodPayload) -> StreamingHttpResponse:
    """Report of a period, CSV.

    Every message of the campaigns that started in the period, at most 7 days. `search` narrows it: `item==0685812475`,
    `item=re=3368581*`, `type==BCAST_MKG`, `msg=re=Hello*`, `fields.REF==A12`; `,` is or, `;` is and, ( ) groups.
    """
    table = period_tables.Table(
        _wanted(call, payload), account=call.account, details=_details(payload), language=call.user.language
    )
    return stream(call, reports.csv_pieces(table.columns(), table.rows()), content_type=CSV, file_name="report.csv")


@endpoint(
    "GET POST",
    "campaigns/reportjson",
    name="periodJson",
    scope="reports",
    tag="Reports",
    payload=PeriodPayload,
    answer=ROWS,
    errors=("invalid_input", "period_too_long", "fiql_syntax", "fiql_field", "fiql_too_large", "search_too_slow"),
)
def period_json(call: Call, payload: PeriodPayload) -> StreamingHttpResponse:
    """Report of a period, JSON.

    The same rows as the CSV, as objects; each has the columns of its own list.
    """
    table = period_tables.Table(
        _wanted(call, payload), account=call.account, details=_details(payload), language=call.user.language
    )
    return stream(call, table.json_pieces(), content_type=JSON)
