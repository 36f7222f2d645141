"""The pages people look at: the landing page, the API's document and its browser."""

from __future__ import annotations

import json
from importlib.resources import files
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, request, send_from_directory
from werkzeug.exceptions import NotFound

_OWN = Path(__file__).parent / "static"

# Nothing from elsewhere and no inline script. Swagger UI draws its icons as data: images.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SWAGGER_FILES = frozenset(
    {"swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png", "favicon-16x16.png"}
)


def register(app: Flask, openapi: dict[str, Any]) -> None:
    """Serve `/`, `/openapi.json`, `/docs` and what they load, all from this machine."""
    pages = Blueprint("pages", __name__)
    body = json.dumps(openapi, ensure_ascii=False, separators=(",", ":"))
    swagger = str(files("flask_swagger_ui") / "dist")
    own = {path.name: path.read_bytes() for path in _OWN.iterdir()}

    @pages.get("/openapi.json")
    def openapi_json() -> Response:
        response = Response(body, content_type="application/json")
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        response.make_conditional(request)
        return response

    @pages.get("/")
    def landing() -> Response:
        return _page(own["index.html"])

    @pages.get("/docs")
    def docs() -> Response:
        return _page(own["docs.html"])

    @pages.get("/assets/<name>")
    def asset(name: str) -> Response:
        if name not in own:
            raise NotFound
        kind = guess_type(name)[0] or "application/octet-stream"
        return _cached(Response(own[name], content_type=f"{kind}; charset=utf-8"))

    @pages.get("/assets/swagger/<name>")
    def swagger_asset(name: str) -> Response:
        if name not in _SWAGGER_FILES:
            raise NotFound
        return _cached(send_from_directory(swagger, name))

    app.register_blueprint(pages)


def _cached(response: Response) -> Response:
    response.headers["Cache-Control"] = "max-age=3600"
    return response


def _page(content: bytes) -> Response:
    response = Response(content, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    response.headers["X-Frame-Options"] = "DENY"
    return response
