"""Decisions as a table: written as CSV, filled in elsewhere, and read back in.

What was written and is read back unchanged decides nothing. Whoever fills it in changes the column
of decisions, that of comments, or both.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.utils import timezone

from generation.comfyui.untrusted_json import is_storable
from generation.errors import Conflicts, InvalidRequest, Problem, Refusal
from generation.models import Version
from generation.services import permissions
from generation.states import ReviewState
from review.models import Review
from review.selectors import reviews
from review.selectors.state_words import WORDS
from review.services import decisions
from review.services.decisions import DECISIONS_MAX, AskedDecision, Reviewer
from review.services.exports import Selection
from review.services.table_columns import (
    COMMENT,
    DECISION,
    DECISION_WORDS,
    FILE,
    HEADS,
    NEEDED,
    PROJECT,
    SEEN,
    STATES,
    VERSION,
    as_compared,
    column_of,
    harmless,
    plain,
)
from review.states import TO, WORDED, Decision, Door
from wording import say

MAX_BYTES, ROWS_MAX = 4 * 2**20, 20_000


# Written ------------------------------------------------------------------------------------------


def as_csv(of: Selection, separator: str = ";") -> bytes:
    """Return the table of what a filter shows, as CSV in UTF-8 with a byte order mark.

    Each picture has a row: its state as `seen` and as `decision`, and what was said of it last.
    """
    told = reviews.last_of(of.version_ids)
    comments = reviews.last_comments(of.version_ids)
    place = {"episode": of.episode.code, "project": of.episode.project.code}
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
    writer.writerow([str(head) for head in HEADS.values()])
    for tile in of.tiles:
        if (picture := tile.picture) is None:
            continue
        last = told.get(picture.id)
        state = str(WORDS[picture.review_state])
        row: dict[str, object] = {
            **place,
            "sequence": tile.sequence,
            "plan": f"{tile.sequence}-{tile.code}",
            "label": tile.label,
            VERSION: picture.id,
            FILE: picture.filename,
            SEEN: state,
            DECISION: state,
            COMMENT: comments.get(picture.id, ""),
            "by": last.author if last else "",
            "made_at": f"{timezone.localtime(last.made_at):%Y-%m-%d %H:%M:%S}" if last else "",
        }
        writer.writerow([harmless(str(row[name])) for name in HEADS])
    return text.getvalue().encode("utf-8-sig")


# Read ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DecisionRow:
    """A row of a table that decides something; `is_done`: somebody has decided so meanwhile."""

    line: int
    filename: str
    asked: AskedDecision
    is_done: bool = False


@dataclass
class TableReading:
    """What was understood of a table, and what was not: `problems` name line, column and value."""

    rows: list[DecisionRow] = field(default_factory=list)
    n_rows: int = 0
    ignored: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    #: Whether what is wrong is that versions have changed since.
    is_conflict: bool = False

    @property
    def to_take(self) -> list[DecisionRow]:
        """The rows whose decisions are still to be taken."""
        return [row for row in self.rows if not row.is_done]

    @property
    def n_done(self) -> int:
        """How many say what was decided already."""
        return len(self.rows) - len(self.to_take)

    @property
    def n_unchanged(self) -> int:
        """How many rows say nothing new."""
        return self.n_rows - len(self.rows)

    def refuse(self) -> None:
        """Raise what is wrong with it, if something is.

        Raises:
            InvalidRequest: something was not understood, or cannot be done.
            Conflicts: versions are in another state by now than was seen.
        """
        if self.problems and self.is_conflict:
            raise Conflicts(self.problems)
        if self.problems:
            raise InvalidRequest(self.problems)


@dataclass(frozen=True)
class _Line:
    """A row as it stands in the file, by its columns."""

    number: int
    cells: Mapping[str, str]

    def problem(self, column: str, code: str, words: str) -> Problem:
        detail = say(
            "Line {line}, column “{column}”: {words}", line=self.number, column=column, words=words
        )
        return Problem(f"lines.{self.number}.{column}", code, detail)


def read(content: bytes, *, by: Reviewer) -> TableReading:
    """Return what a table says and what is wrong with it, having tried it out; do nothing.

    Raises:
        Refusal: it is no table of decisions, or is too large.
        Forbidden: who asks may not decide.
    """
    permissions.require(by.user, *decisions.TO_DECIDE)
    found = _understood(content)
    if not found.problems:
        _attempt(found, by, is_dry=True)
    return found


def take(content: bytes, *, by: Reviewer) -> TableReading:
    """Take the decisions of a table: all of them, or none.

    Raises:
        Refusal, InvalidRequest: it is no such table, or something in it was not understood.
        Conflicts: versions are in another state by now than was seen.
        Forbidden: who asks may not decide.
    """
    permissions.require(by.user, *decisions.TO_DECIDE)
    found = _understood(content)
    if not found.problems:
        _attempt(found, by, is_dry=False)
    found.refuse()
    return found


def _attempt(found: TableReading, by: Reviewer, *, is_dry: bool) -> None:
    """Take the decisions; `is_dry`: and take them back at once. What is wrong is noted."""
    rows = found.to_take
    if not rows:
        return
    try:
        with transaction.atomic():
            decisions.decide([row.asked for row in rows], by=by, door=Door.FILE)
            transaction.set_rollback(is_dry)
    except (InvalidRequest, Conflicts) as error:
        found.is_conflict = isinstance(error, Conflicts)
        found.problems += [_placed(each, rows) for each in error.problems]


def _placed(problem: Problem, rows: Sequence[DecisionRow]) -> Problem:
    """Return what is wrong with a decision, at its line."""
    _, index, column = problem.attr.split(".", 2)
    line = _Line(rows[int(index)].line, {})
    return line.problem(column, problem.code, problem.detail)


def _understood(content: bytes) -> TableReading:
    found = TableReading()
    lines = list(_lines(_text(content), found))
    found.n_rows = len(lines)
    _find(lines, found)
    if len(found.to_take) > DECISIONS_MAX:
        detail = say(
            "{n:,} decisions are more than are taken at once: {most:,}.",
            n=len(found.to_take),
            most=DECISIONS_MAX,
        )
        raise Refusal(detail, code="too_many_rows", attr="file")
    return found


def _text(content: bytes) -> str:
    """Return the file's text.

    Raises:
        Refusal: it is too large, or no text in UTF-8.
    """
    if len(content) > MAX_BYTES:
        detail = say("A table may have {most:,} bytes.", most=MAX_BYTES)
        raise Refusal(detail, code="too_large", attr="file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        detail = say(
            "The file is no UTF-8 text (line {line}): save it as “CSV UTF-8”, and give it again.",
            line=line,
        )
        raise Refusal(detail, code="not_utf8", attr="file") from None
    if not is_storable(text):
        raise Refusal(
            say("The file holds characters that are no text."), code="bad_text", attr="file"
        )
    return text


def _lines(text: str, found: TableReading) -> Iterator[_Line]:
    """Yield the rows; what does not fit the head is noted.

    Raises:
        Refusal: it has no such head, too many rows, or is no CSV.
    """
    first = 1
    if text[:4].lower() == "sep=":
        _, _, text = text.partition("\n")
        first = 2
    head = text.partition("\n")[0]
    separator = max(";,\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        columns = _columns(next(reader, []), found)
        begins = reader.line_num + first
        for n, cells in enumerate(reader):
            if n >= ROWS_MAX:
                detail = say("A table may have {most:,} rows.", most=ROWS_MAX)
                raise Refusal(detail, code="too_many_rows", attr="file")
            if any(cell.strip() for cell in cells):
                yield _line(begins, cells, columns, found)
            begins = reader.line_num + first
    except csv.Error as error:
        detail = say(
            "Line {line} is no CSV: {reason}", line=reader.line_num + first - 1, reason=error
        )
        raise Refusal(detail, code="not_csv", attr="file") from None


def _columns(head: Sequence[str], found: TableReading) -> list[str]:
    """Return the columns by their names; empty where one is none of ours."""
    named = [column_of(cell) for cell in head]
    found.ignored = [
        cell for cell, name in zip(head, named, strict=True) if cell.strip() and not name
    ]
    lacking = [name for name in NEEDED if name not in named]
    twice = [name for name, n in Counter(filter(None, named)).items() if n > 1]
    if lacking or twice:
        wrong = ", ".join(lacking or twice)
        detail = (
            say("The first line lacks these columns: {names}. Is it such a table?", names=wrong)
            if lacking
            else say("The first line names these columns twice: {names}.", names=wrong)
        )
        raise Refusal(detail, code="unknown_columns", attr="file")
    return named


def _line(number: int, cells: Sequence[str], columns: Sequence[str], found: TableReading) -> _Line:
    row = _Line(number, {n: plain(c) for n, c in zip(columns, cells, strict=False) if n})
    if any(cell.strip() for cell in cells[len(columns) :]):
        words = say(
            "it has {n} cells, and the first line {most}: does a text hold the separator?",
            n=len(cells),
            most=len(columns),
        )
        found.problems.append(row.problem("", "too_many_cells", words))
    return row


# Understood ---------------------------------------------------------------------------------------


def _find(lines: Sequence[_Line], found: TableReading) -> None:
    """Read each row against the version that it is about."""
    ids = [int(each.cells[VERSION]) for each in lines if _is_id(each.cells.get(VERSION, ""))]
    related = "plan__sequence__episode__project"
    versions = Version.objects.reviewed().select_related(related).in_bulk(ids)
    said = _said(versions)
    seen: dict[int, int] = {}
    for line in lines:
        version = _version(line, versions, seen, found)
        row = _row(line, version, said.get(version.pk, set()), found) if version else None
        if row is not None:
            found.rows.append(row)


def _is_id(cell: str) -> bool:
    return re.fullmatch("[0-9]{1,18}", cell.strip(), re.ASCII) is not None


def _said(versions: Mapping[int, Version]) -> dict[int, set[str]]:
    """Return all that was ever said about each version."""
    told: dict[int, set[str]] = {}
    rows = Review.objects.filter(version__in=versions).exclude(comment="")
    for version_id, comment in rows.values_list("version_id", "comment"):
        told.setdefault(version_id, set()).add(_flat(comment))
    return told


def _flat(comment: str) -> str:
    """Return a comment as it is compared: a spreadsheet may have changed its line ends."""
    return "\n".join(line.rstrip() for line in comment.strip().splitlines())


def _version(
    line: _Line, versions: Mapping[int, Version], seen: dict[int, int], found: TableReading
) -> Version | None:
    cell = line.cells.get(VERSION, "").strip()
    version = versions.get(int(cell)) if _is_id(cell) else None
    if version is None:
        words = say("“{value:.40}” is no version that is reviewed.", value=cell)
        found.problems.append(line.problem(VERSION, "unknown_version", words))
        return None
    wrong = _mistaken(line, version)
    first = seen.setdefault(version.pk, line.number)
    if first != line.number:
        words = say("{version} stands in line {line} already.", version=version, line=first)
        wrong = line.problem(VERSION, "duplicate_version", words)
    if wrong is not None:
        found.problems.append(wrong)
        return None
    return version


def _mistaken(line: _Line, version: Version) -> Problem | None:
    """Return what is wrong with a row whose number is that of another picture than its name."""
    known = {FILE: str(version), PROJECT: version.plan.sequence.episode.project.code}
    for column, value in known.items():
        told = line.cells.get(column, "").strip()
        if told and told != value:
            words = say(
                "version {id} is {value}, and not “{told:.80}”: were rows mixed up?",
                id=version.pk,
                value=value,
                told=told,
            )
            return line.problem(column, "other_picture", words)
    return None


def _row(line: _Line, version: Version, said: set[str], found: TableReading) -> DecisionRow | None:
    """Return what a row decides; None: nothing, or it was not understood."""
    seen = STATES.get(as_compared(line.cells.get(SEEN, "")))
    if seen is None:
        words = say("“{value:.40}” is no state.", value=line.cells.get(SEEN, "").strip())
        found.problems.append(line.problem(SEEN, "unknown_state", words))
        return None
    comment = _flat(line.cells.get(COMMENT, ""))
    is_new = bool(comment) and comment not in said
    word = as_compared(line.cells.get(DECISION, ""))
    decision = _decision(line, word, seen, found, is_new=is_new)
    if decision is None:
        return None
    if not is_new and decision not in WORDED:
        comment = ""
    asked = AskedDecision(version.pk, decision, seen, comment)
    if decision is Decision.COMMENT:
        asked = replace(asked, seen=None)
    is_done = TO.get(decision) == version.review_state != seen and not is_new
    return DecisionRow(line.number, str(version), asked, is_done)


def _decision(
    line: _Line, word: str, seen: ReviewState, found: TableReading, *, is_new: bool
) -> Decision | None:
    if not word or STATES.get(word) is seen:
        return Decision.COMMENT if is_new else None
    decision = DECISION_WORDS.get(word)
    if decision is not None:
        return None if decision is Decision.COMMENT and not is_new else decision
    words = say(
        "“{value:.40}” is no decision: expected one of {known}, or nothing.",
        value=line.cells.get(DECISION, "").strip(),
        known="approve, retake, reopen, comment; validé, retake, rouvrir, commentaire",
    )
    found.problems.append(line.problem(DECISION, "unknown_decision", words))
    return None
