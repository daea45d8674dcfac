"""The files of the site: pages, scripts, styles, and the libraries they use."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse
from msgspec import Struct

WEB = Path(__file__).parent / "web"
INDEX = "index.html"
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
INLINE_SCRIPT = re.compile(rb"<script type=\"importmap\">(.*?)</script>", re.DOTALL)


class SiteFile(Struct, frozen=True):
    """A file as it is answered."""

    body: bytes
    content_type: str
    etag: str


@cache
def site_files() -> dict[str, SiteFile]:
    """Path below `/ui/` -> file. Read once: they are part of the program."""
    found: dict[str, SiteFile] = {}
    for path in sorted(WEB.rglob("*")):
        content_type = CONTENT_TYPES.get(path.suffix)
        if path.is_file() and content_type is not None:
            body = path.read_bytes()
            name = path.relative_to(WEB).as_posix()
            found[name] = SiteFile(body, content_type, f'"{hashlib.sha256(body).hexdigest()[:20]}"')
    return found


@cache
def content_policy() -> str:
    """What the browser may load: our own files, and the one script that stands in the page, by its hash. Charts place
    their parts by inline styles."""
    scripts = INLINE_SCRIPT.findall(site_files()[INDEX].body)
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(each).digest()).decode()}'" for each in scripts)
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def site_routes() -> APIRouter:
    """`/ui/` and all below it. Browsers keep files and ask each time whether they are still the same."""
    router = APIRouter()

    @router.get("/ui")
    async def bare() -> Response:  # pyright: ignore[reportUnusedFunction]
        return RedirectResponse("/ui/")

    @router.get("/ui/{path:path}")
    async def file(path: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        found = site_files().get(path or INDEX)
        if found is None:
            return PlainTextResponse(f"the dashboard has no file {path!r}: its first page is /ui/\n", 404)
        headers = {
            "ETag": found.etag,
            "Cache-Control": "no-cache",
            "Content-Security-Policy": content_policy(),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        if request.headers.get("if-none-match") == found.etag:
            return Response(status_code=304, headers=headers)
        return Response(found.body, media_type=found.content_type, headers=headers)

    return router
