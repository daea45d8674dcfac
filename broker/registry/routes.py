"""The REST API, as Confluent's Schema Registry has it.

Not served: contexts other than the default one (names that begin with `:.`), metadata and rules of schemas, exporters,
associations, `format=` other than that a schema was registered in.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.journal.entry import KeyValue
from broker.registry import errors
from broker.registry.records import read_reference, reference_body
from broker.registry.registry import Registry
from broker.registry.schema import TYPES, Schema, Version

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
Write = Callable[[Sequence[KeyValue]], Awaitable[bool]]
T = TypeVar("T")
Page = TypeVar("Page", list[Any], list[str], list[int])


def registry_app(registry: Registry, write: Write) -> Starlette:
    """The application; `write` makes records durable, and says whether it could."""
    api = _Api(registry, write)
    return Starlette(
        routes=[
            Route("/", api.root),
            Route("/contexts", api.contexts),
            Route("/subjects", api.subjects),
            Route("/subjects/{subject:path}/versions", api.versions),
            Route("/subjects/{subject:path}/versions", api.register, methods=["POST"]),
            Route("/subjects/{subject:path}/versions/{version}", api.version),
            Route("/subjects/{subject:path}/versions/{version}", api.delete_version, methods=["DELETE"]),
            Route("/subjects/{subject:path}/versions/{version}/schema", api.version_text),
            Route("/subjects/{subject:path}/versions/{version}/referencedby", api.referenced_by),
            Route("/subjects/{subject:path}", api.lookup, methods=["POST"]),
            Route("/subjects/{subject:path}", api.delete_subject, methods=["DELETE"]),
            Route("/schemas", api.schemas),
            Route("/schemas/types", api.types),
            Route("/schemas/ids/{id:int}", api.schema),
            Route("/schemas/ids/{id:int}/schema", api.schema_text),
            Route("/schemas/ids/{id:int}/subjects", api.subjects_of),
            Route("/schemas/ids/{id:int}/versions", api.versions_of),
            Route("/schemas/guids/{guid}", api.by_guid),
            Route("/compatibility/subjects/{subject:path}/versions", api.compatible, methods=["POST"]),
            Route("/compatibility/subjects/{subject:path}/versions/{version}", api.compatible, methods=["POST"]),
            *(
                Route(path, handler, methods=[method])
                for path in ("/config", "/config/{subject:path}")
                for method, handler in (("GET", api.config), ("PUT", api.set_config), ("DELETE", api.delete_config))
            ),
            *(
                Route(path, handler, methods=[method])
                for path in ("/mode", "/mode/{subject:path}")
                for method, handler in (("GET", api.mode), ("PUT", api.set_mode), ("DELETE", api.delete_mode))
            ),
        ],
        exception_handlers={errors.RegistryError: _refusal, HTTPException: _http_refusal},
    )


class _Api:
    """The handlers. Changes are made one after the other: each is durable before the next is decided."""

    def __init__(self, registry: Registry, write: Write) -> None:
        self.registry = registry
        self.write = write
        self.lock = asyncio.Lock()

    async def change(self, decide: Callable[[], tuple[T, list[KeyValue]]]) -> T:
        async with self.lock:
            answer, records = decide()
            if records and not await self.write(records):
                raise errors.storage_failed()
            for key, value in records:
                self.registry.apply(key, value)
            return answer

    async def root(self, request: Request) -> Response:
        return _answer({})

    async def contexts(self, request: Request) -> Response:
        return _answer(["."])

    # -- subjects ---------------------------------------------------------------------------------------------------
    async def subjects(self, request: Request) -> Response:
        return _answer(
            _page(
                request,
                self.registry.subjects(
                    prefix=request.query_params.get("subjectPrefix", ""),
                    deleted=_flag(request, "deleted"),
                    deleted_only=_flag(request, "deletedOnly", "deleted_only"),
                ),
            )
        )

    async def versions(self, request: Request) -> Response:
        found = self.registry.versions(
            _subject(request),
            deleted=_flag(request, "deleted"),
            deleted_only=_flag(request, "deletedOnly", "deleted_only"),
        )
        return _answer(_page(request, [version.number for version in found]))

    async def version(self, request: Request) -> Response:
        return _answer(_version_body(self._version(request)))

    async def version_text(self, request: Request) -> Response:
        return _text(self._version(request).schema)

    async def referenced_by(self, request: Request) -> Response:
        return _answer(_page(request, self.registry.referenced_by(_subject(request), _version(request))))

    async def register(self, request: Request) -> Response:
        body = await _body(request)
        schema, subject = _schema(body), _subject(request)
        version = await self.change(
            lambda: self.registry.register(
                subject,
                schema,
                normalize=_flag(request, "normalize"),
                schema_id=_number(body, "id"),
                number=_number(body, "version"),
            )
        )
        return _answer({"id": version.id, "version": version.number, "guid": version.schema.guid})

    async def lookup(self, request: Request) -> Response:
        found = self.registry.lookup(
            _subject(request),
            _schema(await _body(request)),
            deleted=_flag(request, "deleted"),
            normalize=_flag(request, "normalize"),
        )
        return _answer(_version_body(found))

    async def delete_subject(self, request: Request) -> Response:
        permanent, subject = _flag(request, "permanent"), _subject(request)
        return _answer(await self.change(lambda: self.registry.delete_subject(subject, permanent=permanent)))

    async def delete_version(self, request: Request) -> Response:
        permanent, subject, number = _flag(request, "permanent"), _subject(request), _version(request)
        return _answer(await self.change(lambda: self.registry.delete_version(subject, number, permanent=permanent)))

    def _version(self, request: Request) -> Version:
        return self.registry.version(_subject(request), _version(request), deleted=_flag(request, "deleted"))

    # -- schemas ----------------------------------------------------------------------------------------------------
    async def types(self, request: Request) -> Response:
        return _answer(TYPES)

    async def schemas(self, request: Request) -> Response:
        found = self.registry.all(
            prefix=request.query_params.get("subjectPrefix", ""),
            deleted=_flag(request, "deleted"),
            latest_only=_flag(request, "latestOnly"),
        )
        return _answer(_page(request, [_version_body(version) for version in found]))

    async def schema(self, request: Request) -> Response:
        return _answer(_schema_body(self.registry.schema(_id(request))))

    async def schema_text(self, request: Request) -> Response:
        return _text(self.registry.schema(_id(request)))

    async def by_guid(self, request: Request) -> Response:
        schema_id, schema = self.registry.by_guid(request.path_params["guid"])
        return _answer({"id": schema_id, **_schema_body(schema)})

    async def subjects_of(self, request: Request) -> Response:
        return _answer(_page(request, sorted({version.subject for version in self._uses(request)})))

    async def versions_of(self, request: Request) -> Response:
        found = [{"subject": version.subject, "version": version.number} for version in self._uses(request)]
        return _answer(_page(request, found))

    def _uses(self, request: Request) -> list[Version]:
        self.registry.schema(_id(request))
        subject = request.query_params.get("subject")
        found = self.registry.uses(_id(request), deleted=_flag(request, "deleted"))
        return [version for version in found if subject in (None, version.subject)]

    # -- compatibility and settings ---------------------------------------------------------------------------------
    async def compatible(self, request: Request) -> Response:
        number = _version(request) if "version" in request.path_params else None
        schema = _schema(await _body(request))
        problems = self.registry.incompatible(_subject(request), schema, number, normalize=_flag(request, "normalize"))
        verbose = {"messages": problems} if _flag(request, "verbose") else {}
        return _answer({"is_compatible": not problems, **verbose})

    async def config(self, request: Request) -> Response:
        level = self.registry.level(_any_subject(request), default_to_global=_flag(request, "defaultToGlobal"))
        return _answer({"compatibilityLevel": level})

    async def set_config(self, request: Request) -> Response:
        body = await _body(request)
        level = body.get("compatibility") or body.get("compatibilityLevel")
        await self.change(lambda: (None, self.registry.set_level(_any_subject(request), level)))
        return _answer({"compatibility": str(level).upper()})

    async def delete_config(self, request: Request) -> Response:
        subject = _any_subject(request)
        level = self.registry.level(subject, default_to_global=False)
        await self.change(lambda: (None, self.registry.delete_setting("CONFIG", subject)))
        return _answer({"compatibilityLevel": level})

    async def mode(self, request: Request) -> Response:
        mode = self.registry.mode(_any_subject(request), default_to_global=_flag(request, "defaultToGlobal"))
        return _answer({"mode": mode})

    async def set_mode(self, request: Request) -> Response:
        mode = (await _body(request)).get("mode")
        force = _flag(request, "force")
        await self.change(lambda: (None, self.registry.set_mode(_any_subject(request), mode, force=force)))
        return _answer({"mode": mode})

    async def delete_mode(self, request: Request) -> Response:
        subject = _any_subject(request)
        mode = self.registry.mode(subject, default_to_global=False)
        await self.change(lambda: (None, self.registry.delete_setting("MODE", subject)))
        return _answer({"mode": mode})


# -- requests -------------------------------------------------------------------------------------------------------
async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise errors.RegistryError(400, f"The body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise errors.RegistryError(400, "The body is not a JSON object")
    return cast("dict[str, Any]", body)


def _schema(body: dict[str, Any]) -> Schema:
    kind, text = body.get("schemaType") or "AVRO", body.get("schema")
    if kind not in TYPES:
        raise errors.invalid_schema(f"schema type {kind!r} is none of {', '.join(TYPES)}")
    if not isinstance(text, str) or not text.strip():
        raise errors.invalid_schema("it is empty")
    try:
        references = tuple(read_reference(one) for one in body.get("references") or ())
    except (KeyError, TypeError, ValueError) as error:
        raise errors.invalid_schema("a reference needs name, subject and version") from error
    return Schema(kind, text, references)


def _number(body: dict[str, Any], name: str) -> int:
    """A number that is only given in mode IMPORT; -1 where it is not."""
    number = body.get(name)
    return number if isinstance(number, int) and number > 0 else -1


def _subject(request: Request) -> str:
    return str(request.path_params["subject"])


def _any_subject(request: Request) -> str | None:
    """None: of all subjects."""
    return request.path_params.get("subject")


def _id(request: Request) -> int:
    return int(request.path_params["id"])


def _version(request: Request) -> int:
    text = str(request.path_params["version"])
    if text in ("latest", "-1"):
        return -1
    if not text.isdecimal() or not 1 <= int(text) <= 2_147_483_647:
        raise errors.invalid_version(text)
    return int(text)


def _flag(request: Request, *names: str) -> bool:
    return any(request.query_params.get(name, "").lower() == "true" for name in names)


def _page(request: Request, found: Page) -> Page:
    def number(name: str, default: int) -> int:
        try:
            return int(request.query_params.get(name, default))
        except ValueError as error:
            raise errors.RegistryError(400, f"{name} is no number") from error

    offset, limit = max(number("offset", 0), 0), number("limit", -1)
    return cast(Any, found[offset:] if limit < 0 else found[offset : offset + limit])


# -- answers --------------------------------------------------------------------------------------------------------
def _answer(content: Any, status: int = 200) -> Response:
    return Response(json.dumps(content), status, media_type=MEDIA_TYPE)


def _text(schema: Schema) -> Response:
    return Response(schema.text, media_type=MEDIA_TYPE)


def _schema_body(schema: Schema) -> dict[str, Any]:
    """Avro goes without saying, as in Confluent's registry."""
    body: dict[str, Any] = {"guid": schema.guid}
    if schema.type != "AVRO":
        body["schemaType"] = schema.type
    if schema.references:
        body["references"] = [reference_body(one) for one in schema.references]
    return {**body, "schema": schema.text}


def _version_body(version: Version) -> dict[str, Any]:
    head = {"subject": version.subject, "version": version.number, "id": version.id}
    return {**head, **_schema_body(version.schema)}


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.RegistryError)
    return _answer({"error_code": error.code, "message": error.message}, error.status)


async def _http_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _answer(
        {"error_code": error.status_code, "message": f"HTTP {error.status_code} {error.detail}"}, error.status_code
    )
