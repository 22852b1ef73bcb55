"""Which boards of a storyboard its page shows: those of a kind, some hundred at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.http import QueryDict

from storyboards.selectors import documents, drafts
from storyboards.selectors.drafts import Compared, Draft
from storyboards.states import Change

#: So many boards, doubts and problems are shown at once.
BOARDS_SHOWN = 200
LINES_SHOWN = 50
ALL, DOUBTFUL = "all", "doubtful"
_KINDS = (ALL, DOUBTFUL, Change.ADDED, Change.CHANGED, Change.MOVED, Change.LEFT_OUT)


@dataclass(frozen=True)
class PageLink:
    """A page of boards: from which to which of those shown, and its address."""

    first: int
    last: int
    url: str
    is_here: bool


def context(draft: Draft, asked: QueryDict) -> dict[str, Any]:
    """Return what the page is made of, as its address asks for: `show`, `page`."""
    show = asked.get("show", ALL)
    show = show if draft.of.is_draft and show in _KINDS else ALL
    paginator = Paginator(_of_kind(draft.boards, show), BOARDS_SHOWN)
    page = paginator.get_page(asked.get("page"))
    told = documents.draft_with_boards(
        draft, positions={each.board.position for each in page.object_list}
    )
    doubtful = [each for each in draft.boards if each.board.doubts]
    return {
        "told": told,
        "show": show,
        "pages": _links(page, show),
        "problems": told["problems"][:LINES_SHOWN],
        "n_more_problems": max(0, len(told["problems"]) - LINES_SHOWN),
        "doubtful": [_doubtful(each, draft, page) for each in doubtful[:LINES_SHOWN]],
        "n_more_doubtful": max(0, len(doubtful) - LINES_SHOWN),
    }


def _of_kind(boards: Sequence[Compared], show: str) -> list[Compared]:
    if show == ALL:
        return list(boards)
    if show == DOUBTFUL:
        return [each for each in boards if drafts.is_doubtful(each.board)]
    return [each for each in boards if each.change == show]


def _links(page: Page[Compared], show: str) -> list[PageLink]:
    """Return the pages there are; none where one holds everything."""
    paginator = page.paginator
    if paginator.num_pages == 1:
        return []
    return [
        PageLink(
            other.start_index(),
            other.end_index(),
            f"?{urlencode({'show': show, 'page': other.number})}",
            other.number == page.number,
        )
        for other in map(paginator.page, paginator.page_range)
    ]


def _doubtful(compared: Compared, draft: Draft, page: Page[Compared]) -> dict[str, Any]:
    """Return a board with doubts, and the address of its place on a page."""
    position = compared.board.position
    is_here = any(each.board.position == position for each in page.object_list)
    other = "" if is_here else f"?page={(position - 1) // BOARDS_SHOWN + 1}"
    told = documents.board(compared, draft.of)
    return {**told, "url": f"{other}#board-{position}"}
