"""What we remember: one file per noun; rows and constraints, no rules."""

from carillon.models.access import (
    LoginAttempt,
    Passkey,
    PasswordReset,
    RecoveryCode,
    SecondFactorCode,
    Token,
    TrustedDevice,
    UserSession,
)
from carillon.models.accounts import Account, Brand, Sender, User
from carillon.models.campaigns import Campaign, CampaignCount, CampaignList, Template
from carillon.models.connectors import Connector, Route, Tariff
from carillon.models.ledger import BalanceDelta, Ledger
from carillon.models.links import Asset, Click, ClickCount, Link, ShortDomain
from carillon.models.lists import List, Recipient
from carillon.models.messages import (
    CampaignDelta,
    Doubt,
    GatewayRun,
    Message,
    Outbox,
    ReceiptUnmatched,
    Slice,
    Submission,
)
from carillon.models.optouts import ConsentEntry, Npai, OptOut
from carillon.models.replies import AutoReply, Reply, ReplyPart
from carillon.models.requests import ApiRate, ApiRequest, IdempotencyKey
from carillon.models.webhooks import Webhook, WebhookDelivery

__all__ = [
    "Account",
    "ApiRate",
    "ApiRequest",
    "Asset",
    "AutoReply",
    "BalanceDelta",
    "Brand",
    "Campaign",
    "CampaignCount",
    "CampaignDelta",
    "CampaignList",
    "Click",
    "ClickCount",
    "Connector",
    "ConsentEntry",
    "Doubt",
    "GatewayRun",
    "IdempotencyKey",
    "Ledger",
    "Link",
    "List",
    "LoginAttempt",
    "Message",
    "Npai",
    "OptOut",
    "Outbox",
    "Passkey",
    "PasswordReset",
    "ReceiptUnmatched",
    "Recipient",
    "RecoveryCode",
    "Reply",
    "ReplyPart",
    "Route",
    "SecondFactorCode",
    "Sender",
    "ShortDomain",
    "Slice",
    "Submission",
    "Tariff",
    "Template",
    "Token",
    "TrustedDevice",
    "User",
    "UserSession",
    "Webhook",
    "WebhookDelivery",
]
