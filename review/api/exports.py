"""What a filter of the light table shows, to take away: a zip, a contact sheet, a table."""

from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from generation.api import errors, filters
from generation.api.filters import UnusableValue
from generation.api.streamed_answers import MadeBehind, UntilClientLeaves
from generation.errors import Busy, InvalidRequest, Problem
from generation.selectors import production
from review.api import export_descriptions
from review.selectors.light_table import Show, TableQuery
from review.services import contact_sheets, downloads, exports, picture_zips, review_tables
from review.services.contact_sheets import NotDrawn
from review.services.exports import Selection
from review.services.picture_zips import PictureZip
from review.services.table_columns import SEPARATORS
from review.sheets.job import PAGES, SheetJob
from wording import say, words_of

Answer = TypeVar("Answer", bound=HttpResponseBase)
#: Reads the value of a parameter.
Read = Callable[[str], Any]
ZIP, PDF, CSV = "application/zip", "application/pdf", "text/csv; charset=utf-8"


def _one_of(known: Mapping[str, Any]) -> Read:
    def read(value: str) -> Any:
        if value not in known:
            raise UnusableValue(say("Expected one of {known}.", known=", ".join(known)))
        return known[value]

    return read


_SCOPE: Mapping[str, Read] = {
    "episode_id": filters.whole_number,
    "sequence_id": str,
    "show": _one_of({show.value: show for show in Show}),
    "style": str,
}


class _Export(APIView):
    """An address that answers a file of what a filter shows."""

    http_method_names = ["get", "options"]
    more: ClassVar[Mapping[str, Read]] = {}

    def perform_content_negotiation(
        self, request: Request, *_: object, **__: object
    ) -> tuple[BaseRenderer, str]:
        # A browser asks for a page; the answer is a file, whatever else it would rather have.
        return super().perform_content_negotiation(request, force=True)

    def get(self, request: Request) -> HttpResponseBase:
        asked = _asked(request, {**_SCOPE, **self.more})
        of = production.episode(asked.pop("episode_id"))
        scope = TableQuery(
            user_id=request.user.pk,
            sequence=asked.pop("sequence_id", ""),
            show=asked.pop("show", Show.ALL),
            style=asked.pop("style", ""),
        )
        return self.answer(exports.select(of, scope), **asked)

    def answer(self, of: Selection, **asked: Any) -> HttpResponseBase:
        raise NotImplementedError


def _asked(request: Request, known: Mapping[str, Read]) -> dict[str, Any]:
    """Return the parameters of a request, read.

    Raises:
        InvalidRequest: one is unknown, lacking, or has a value that cannot be used.
    """
    problems: list[Problem] = []
    found: dict[str, Any] = {}
    given: dict[str, str] = request.query_params.dict()
    for name, value in given.items():
        if name not in known:
            words = say("Unknown parameter. Known: {filters}.", filters=", ".join(known))
            problems.append(Problem(f"{name:.64}", "unknown_parameter", words))
            continue
        try:
            found[name] = known[name](value.replace("\0", "\ufffd"))
        except UnusableValue as error:
            problems.append(Problem(name, "invalid", words_of(error)))
    if "episode_id" in known and "episode_id" not in request.query_params:
        problems.append(Problem("episode_id", "required", say("episode_id is required.")))
    if problems:
        raise InvalidRequest(problems)
    return found


def as_download(response: Answer, name: str) -> Answer:
    """Have a browser keep an answer under a name, and nobody between keep or change it."""
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store, no-transform"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@export_descriptions.ZIP
class PicturesZip(_Export):
    """`/api/exports/pictures.zip`."""

    def answer(self, of: Selection, **_asked: Any) -> HttpResponseBase:
        return zip_answer(picture_zips.pack(of.versions()), f"{of.name}.zip")


def zip_answer(packed: PictureZip, name: str) -> UntilClientLeaves:
    """Answer a zip, piece by piece, its length said beforehand."""
    response = UntilClientLeaves(downloads.send_pieces(packed.pieces(), name), content_type=ZIP)
    response["Content-Length"] = str(packed.n_bytes)
    # Or nginx would write it to its own disk first.
    response["X-Accel-Buffering"] = "no"
    if packed.missing:
        response["Madsea-Missing"] = str(len(packed.missing))
    return as_download(response, name)


@export_descriptions.SHEET
class ContactSheetPdf(_Export):
    """`/api/exports/contact_sheet.pdf`."""

    more = {"per_page": _one_of({str(n): n for n in PAGES})}

    def answer(self, of: Selection, per_page: int = 20, **_asked: Any) -> HttpResponseBase:
        wanted = contact_sheets.job(of, per_page)
        return as_download(SheetAnswer(wanted), f"{of.name}_contact_sheet.pdf")


class SheetAnswer(MadeBehind):
    """A contact sheet, drawn by a child while no thread waits for it."""

    def __init__(self, wanted: SheetJob) -> None:
        super().__init__(self._drawn(), content_type=PDF)
        self._wanted = wanted
        self._language = translation.get_language()

    async def prepare(self) -> None:
        try:
            self.become(await contact_sheets.draw(self._wanted), PDF)
        except (Busy, NotDrawn) as error:
            with translation.override(self._language):
                self._refuse(error)

    def _refuse(self, error: Busy | NotDrawn) -> None:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        refused = errors.problems_answer(status, [Problem("", error.code, error.detail)])
        self.become(refused.content, refused["Content-Type"], refused.status_code)
        del self["Content-Disposition"]
        self["Retry-After"] = "10"

    async def _drawn(self) -> AsyncIterator[bytes]:
        # Where nothing prepares answers, as in tests.
        yield await contact_sheets.draw(self._wanted)


@export_descriptions.TABLE
class DecisionsCsv(_Export):
    """`/api/exports/decisions.csv`."""

    more = {"separator": _one_of(SEPARATORS)}

    def answer(self, of: Selection, separator: str = ";", **_asked: Any) -> HttpResponseBase:
        content = review_tables.as_csv(of, separator)
        return as_download(HttpResponse(content, content_type=CSV), f"{of.name}_decisions.csv")
