"""What a lane says of itself: numbers for gauges, `gateway status` and finish estimates."""

from __future__ import annotations

from typing import Any

from carillon.carriers.base import Carrier
from carillon.gateway.ticker import Ticker


def report(carrier: Carrier, ticker: Ticker, *, elapsed_s: float) -> dict[str, Any]:
    """JSON. Rates are messages a second since the last report, by campaign; counters count since the lane's start."""
    health, gauges, flow = carrier.health, ticker.gauges, ticker.flow
    rates = {str(campaign_id): round(n / max(elapsed_s, 0.001), 2) for campaign_id, n in gauges.by_campaign.items()}
    gauges.by_campaign = {}
    heard_s = flow.heard_s()
    return {
        "submitted": health.submitted, "answered": health.answered, "refused": health.refused,
        "throttled": health.throttled, "receipts": health.receipts, "inbounds": health.inbounds,
        "reconnects": health.reconnects, "answer_latency_s": round(health.answer_latency_s, 4),
        "recorded": gauges.recorded, "receipts_recorded": gauges.receipts, "ticks": gauges.ticks,
        "tick_ms": round(1000 * gauges.tick_s / max(gauges.ticks, 1), 2),
        "untold": flow.untold, "untold_s": round(flow.untold_s()),
        "heard_s": None if heard_s is None else round(heard_s),
        "outstanding": len(flow.outstanding), "slices": len(ticker.book.slices), "waiting": ticker.book.waiting(),
        "rate": round(sum(rates.values()), 2), "rates": rates, **health.extra,
    }  # fmt: skip
