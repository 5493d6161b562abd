"""Small OpenAPI documents for tests."""

from __future__ import annotations

from typing import Any

__all__ = ["PETS", "create_document"]


def create_document(
    path: str = "/things",
    method: str = "get",
    *,
    openapi: str = "3.1.0",
    components: dict[str, Any] | None = None,
    **operation: Any,
) -> dict[str, Any]:
    """Return a document of one operation."""
    return {
        "openapi": openapi,
        "info": {"title": "Things", "version": "1"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": {path: {method: {"operationId": "do_it", "responses": {}, **operation}}},
        "components": components or {},
    }


PETS: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Pets", "version": "1"},
    "servers": [
        {"url": "https://{region}.example.com/v1/", "variables": {"region": {"default": "eu"}}}
    ],
    "paths": {
        "x-note": "an extension",
        "/pets": {
            "parameters": [{"$ref": "#/components/parameters/Limit"}],
            "get": {
                "operationId": "listPets",
                "summary": "List the\npets",
                "description": "Newest first.",
                "parameters": [
                    {
                        "name": "tag",
                        "in": "query",
                        "schema": {"type": "array", "items": {"type": "string"}},
                    },
                    {"name": "Accept", "in": "header", "schema": {"type": "string"}},
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                    {"name": "session", "in": "cookie", "schema": {"type": "string"}},
                ],
            },
            "post": {
                "operationId": "pets.create",
                "requestBody": {"$ref": "#/components/requestBodies/Pet"},
            },
        },
        "/pets/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
            ],
            "get": {"summary": "One pet"},
            "put": {
                "operationId": "replacePet",
                "requestBody": {
                    "required": True,
                    "content": {
                        "text/plain": {},
                        "application/merge-patch+json": {"schema": {"type": "object"}},
                    },
                },
            },
            "delete": {"operationId": "deletePet"},
        },
    },
    "components": {
        "parameters": {
            "Limit": {
                "name": "limit",
                "in": "query",
                "description": "How  many",
                "schema": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
            }
        },
        "requestBodies": {
            "Pet": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
            }
        },
        "schemas": {
            "Pet": {
                "type": "object",
                "required": ["id", "name"],
                "properties": {
                    "id": {"type": "integer", "readOnly": True},
                    "name": {"type": "string", "example": "Tom", "x-extra": 1},
                    "nick": {"type": "string", "nullable": True, "enum": ["a", "b"]},
                    "owner": {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Owner"}]},
                    "friends": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
                },
            },
            "Owner": {
                "type": "object",
                "properties": {"pet": {"$ref": "#/components/schemas/Pet"}},
            },
        },
    },
}
