"""Message templates of the account («modèles»)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from carillon.api.campaign_payload import Renderer, Traffic
from carillon.api.endpoints import Call, NoParameters, Reply, endpoint
from carillon.api.errors import ApiError
from carillon.api.fields import Payload, Text, iso_date
from carillon.models import Template
from carillon.services import message_templates


class TemplatePayload(Payload):
    name: Text | None = Field(None, max_length=120)
    msg: Text | None = Field(None, max_length=20_000)
    typeSelect: Traffic | None = None
    renderer: Renderer | None = None


class TemplateAnswer(BaseModel):
    id: int
    name: str
    msg: str
    typeSelect: str
    renderer: str
    createdAt: str | None
    updatedAt: str | None


class TemplateList(BaseModel):
    templates: list[TemplateAnswer]


def _answer(template: Template) -> dict[str, Any]:
    return {
        "id": template.pk,
        "name": template.name,
        "msg": template.message,
        "typeSelect": template.traffic,
        "renderer": template.renderer,
        "createdAt": iso_date(template.created_at),
        "updatedAt": iso_date(template.updated_at),
    }


def _save(call: Call, payload: TemplatePayload, template: Template | None) -> Template:
    return message_templates.save(
        actor=call.user,
        name=payload.name or (template.name if template else ""),
        message=payload.msg or (template.message if template else ""),
        traffic=payload.typeSelect or (template.traffic if template else "MKG"),
        renderer=payload.renderer or (template.renderer if template else call.account.default_renderer),
        template=template,
    )


def _get(call: Call) -> Template:
    return message_templates.get(call.user, call.number("template_id"))


@endpoint(
    "GET", "templates", name="listTemplates", scope="reports", tag="Templates", answer=TemplateList, is_addition=True
)
def list_templates(call: Call, _: NoParameters) -> dict[str, Any]:
    """Templates of the account, by name."""
    return {"templates": [_answer(template) for template in message_templates.visible(call.user)[:1000]]}


@endpoint(
    "POST", "templates", name="createTemplate", scope="send", tag="Templates", payload=TemplatePayload, answer=TemplateAnswer,
    errors=("invalid_input", "message_empty"), example={"name": "Reminder", "msg": "See you tomorrow, ${FIRSTNAME}."},
    is_idempotent=True, is_addition=True, success=201,
)  # fmt: skip
def create_template(call: Call, payload: TemplatePayload) -> Reply:
    """Keep a text under a name."""
    if not payload.name:
        raise ApiError("invalid_input", "name is required.", param="name")
    return Reply(_answer(_save(call, payload, None)), status=201)


@endpoint(
    "GET", "templates/{template_id}", name="getTemplate", scope="reports", tag="Templates", answer=TemplateAnswer,
    errors=("not_found",), is_addition=True,
)  # fmt: skip
def get_template(call: Call, _: NoParameters) -> dict[str, Any]:
    """Read a template."""
    return _answer(_get(call))


@endpoint(
    "PUT", "templates/{template_id}", name="updateTemplate", scope="send", tag="Templates", payload=TemplatePayload,
    answer=TemplateAnswer, errors=("not_found", "invalid_input"), is_addition=True,
)  # fmt: skip
def update_template(call: Call, payload: TemplatePayload) -> dict[str, Any]:
    """Change a template. What is not given stays."""
    return _answer(_save(call, payload, _get(call)))


class TemplateDeleted(BaseModel):
    deleted: int


@endpoint(
    "DELETE", "templates/{template_id}", name="deleteTemplate", scope="send", tag="Templates", answer=TemplateDeleted,
    errors=("not_found",), is_addition=True,
)  # fmt: skip
def delete_template(call: Call, _: NoParameters) -> dict[str, Any]:
    """Delete a template."""
    number = call.number("template_id")
    message_templates.delete(call.user, number)
    return {"deleted": number}
