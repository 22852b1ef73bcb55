"""The errors that the story can end in, as one tree.

::

    MadseaError
    ├── Refusal                 a request that cannot be taken; the client mends it (400)
    │   ├── InvalidRequest      one or many places in a payload
    │   └── BadImage            an upload that is no usable image
    ├── Forbidden               who asks may not do this (403)
    ├── NotFound                what was named does not exist (404)
    ├── Conflict                it exists, but its state does not allow this (409)
    │   └── Conflicts           so it is at several places of a request
    ├── Busy                    what it takes is in use: the same comes through later (503)
    ├── TooSoon                 it may be asked again after some seconds (429)
    ├── Fenced                  a driver whose lease or attempt is no longer its own
    ├── CancelledMeanwhile      a render whose plan was cancelled first (services.publication)
    ├── StorageError            the projects folder cannot be written (storage)
    │   ├── StagedFileGone      somebody has removed a staged file
    │   └── FileGone            a file is no longer there, or is no plain file
    └── NameTaken               another file lies under a version's name (storage)

What a ComfyUI server does wrong is a tree of its own, `generation.comfyui.errors`. A plan that ends
in error keeps a PlanFailure, which is no exception: code, what happened, what to do about it.
"""

from dataclasses import dataclass

from wording import Sentence, say


class MadseaError(Exception):
    """Something went wrong in Madsea."""

    code = "error"

    def __init__(self, detail: str = "", *, code: str = "", attr: str | None = None) -> None:
        self.detail = detail or docstring_of(type(self)) or self.code
        self.code = code or type(self).code
        self.attr = attr
        super().__init__(self.detail)


def docstring_of(error: type[Exception]) -> Sentence:
    """Return the first line of an error's docstring: its default message."""
    return Sentence((error.__doc__ or "").partition("\n")[0], {})


class Refusal(MadseaError):
    """The request cannot be taken as it is."""

    code = "invalid"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a request: `attr` is its place in the payload, dots between levels."""

    attr: str
    code: str
    detail: str


#: More problems than this are counted, not named: an answer stays readable, and small.
PROBLEMS_MAX = 100


def first_problems(problems: list[Problem]) -> list[Problem]:
    """Return the first hundred problems and, in one more, how many others there are."""
    n_more = len(problems) - PROBLEMS_MAX
    if n_more <= 0:
        return problems
    detail = say("{n_more:,} more problems are not named here.", n_more=n_more)
    return [*problems[:PROBLEMS_MAX], Problem("", "more_problems", detail)]


class InvalidRequest(Refusal):
    """The request names something that cannot be used."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        first = problems[0]
        super().__init__(first.detail, code=first.code, attr=first.attr)


class BadImage(Refusal):
    """The file is not an image that can be used."""

    code = "bad_image"


class Forbidden(MadseaError):
    """You may not do this."""

    code = "permission_denied"


class NotFound(MadseaError):
    """There is no such thing."""

    code = "not_found"


class Conflict(MadseaError):
    """Its state does not allow this."""

    code = "conflict"


class Conflicts(Conflict):
    """The state of several things does not allow this."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        first = problems[0]
        super().__init__(first.detail, code=first.code, attr=first.attr)


class Busy(MadseaError):
    """Too much is being decoded just now: send it again in a few seconds."""

    code = "busy"


class TooSoon(MadseaError):
    """It is too soon to try this again."""

    code = "throttled"

    def __init__(self, detail: str = "", *, wait_s: int) -> None:
        super().__init__(detail)
        self.wait_s = wait_s


class Fenced(MadseaError):
    """The lease or the attempt belongs to another driver now."""

    code = "fenced"


@dataclass(frozen=True)
class PlanFailure:
    """Why a plan is in error, for the supervisor who reads it.

    `code` is stable; `message` says what happened in the server's own words where there are any;
    `remedy` says what to do about it.
    """

    code: str
    message: str
    remedy: str
