"""Which page is served where."""

from aiohttp import web

from protocol.refusals import Refusal
from protocol.setup import Video
from server.http.built import Handler, assets
from server.http.context import Context
from server.http.security import headers, page_csp, permissions

PAGES = ("join", "audience", "host", "director", "overlay", "organiser", "privacy")


def routes(context: Context) -> list[web.RouteDef]:
    """`/`, `/t/CODE`, `/host/CODE`, `/director/CODE`, `/overlay/CODE`, `/organiser`, `/privacy`, `/assets/…`."""
    built = context.built

    def page(name: str) -> Handler:
        async def serve(request: web.Request) -> web.StreamResponse:
            found = built.get(f"{name}.html")
            if found is None:
                return web.Response(status=503, text="The pages are not built: run `make build`.\n", headers=headers("api"))
            video = await _video(context, request.match_info["code"]) if name == "audience" else None
            return found.response(request, page_headers(name, request.host, video))

        return serve

    return [
        web.get("/", page("join")),
        web.get("/t/{code}", page("audience")),
        *(web.get(f"/{name}/{{code}}", page(name)) for name in ("host", "director", "overlay")),
        web.get("/organiser", page("organiser")),
        web.get("/privacy", page("privacy")),
        *assets(built),
    ]


def page_headers(name: str, host: str, video: Video | None) -> dict[str, str]:
    """Of the page `name`, asked for at `host`. `video`: of the town hall, for the audience's page."""
    found = headers("page", page_csp(host, video, own_styles=name == "overlay"))
    # The audience's page reads printed entries, where somebody presses for it.
    return found | {"Permissions-Policy": permissions("camera")} if name == "audience" else found


async def _video(context: Context, code: str) -> Video | None:
    runtime = await context.gateway.find(code)
    return None if isinstance(runtime, Refusal) else runtime.hall.setup.video
