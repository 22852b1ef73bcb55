"""What can happen to a batch or a plan: each event's level and the sentence that tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from wording import Sentence

LEVELS = ("info", "warning", "error")


@dataclass(frozen=True)
class Event:
    """One kind of log entry; `sentence` is filled in with the entry's data.

    `without` is said instead where the data do not hold all that the sentence names.
    """

    code: str
    level: str
    sentence: str
    without: str = ""


def _table(*events: Event) -> Mapping[str, Event]:
    return {event.code: event for event in events}


EVENTS = _table(
    Event(
        "batch_created",
        "info",
        "{plans} plans requested in style {style}, mode {mode}: {values}.",
        without="{plans} plans requested in style {style}, mode {mode}.",
    ),
    Event("variant", "info", "In the style's light {variant}."),
    Event("variations", "info", "Each plan in {variations} variations, each of its own seed."),
    Event("project_created", "info", "Project {project} is new: this request made it."),
    Event(
        "project_created_beside",
        "warning",
        "Project {project} is new: this request made it. There is {like} already: if that was"
        " meant, cancel this batch and ask again.",
    ),
    Event(
        "episode_created", "info", "Episode {episode} of {project} is new: this request made it."
    ),
    Event(
        "locked_left_out",
        "warning",
        "Left out, as they are approved and so locked: {named}. Reopen them, or ask with force and"
        " a reason.",
    ),
    Event("locked_forced", "warning", "Approved, and made anew all the same ({reason}): {named}."),
    Event("rerun", "info", "It follows the recipe of {filename}."),
    Event("batch_cancel_requested", "info", "Cancel of the batch requested."),
    Event("paused", "info", "Paused: what runs is finished, nothing more is taken."),
    Event("resumed", "info", "Resumed."),
    Event("priority_changed", "info", "Priority {before} became {after}."),
    Event("renamed", "info", "Called “{after}”, before “{before}”."),
    Event("max_tries_changed", "info", "Each plan may fail {most} times."),
    Event("panel_arrived", "info", "The panel is there: the plan is queued."),
    Event(
        "claimed",
        "info",
        "Attempt {attempt} on {server}, seed {seed}.",
        without="Attempt {attempt} on {server}.",
    ),
    Event("posted", "info", "{server} accepted the prompt."),
    Event("reposted", "warning", "{server} does not know the prompt: it was sent again."),
    Event("doubled", "warning", "{server} had the prompt twice: one of the two was taken off."),
    Event("adopted", "info", "A new driver of {server} took the prompt over."),
    Event("published", "info", "Published as {filename}."),
    Event(
        "identical_pictures",
        "warning",
        "{plan} and {other_plan} have the same picture to the pixel, though their seeds differ"
        " ({seed} and {other_seed}). Usually the seed does not reach what draws the noise, or what"
        " it draws has no effect (denoise 0): look at the workflow's page, which says what each"
        " parameter sets.",
    ),
    Event("uploaded", "info", "Uploaded by hand and published as {filename}."),
    Event("found_on_disk", "warning", "{filename} was on disk already: it keeps its number."),
    Event("failed", "error", "{message}"),
    Event(
        "failed_alike",
        "error",
        "{server} refused {plan}, and {plans} more that are made of the same have failed with it,"
        " unsent: {message}",
    ),
    Event("tried", "warning", "Try {tries} of {most} failed on {server}, queued again: {message}"),
    Event("held_up", "warning", "Held up on {server}, queued again without a try: {message}"),
    Event(
        "unblamed",
        "info",
        "Queued again: {server} has failed several plans that others render, and takes none of this"
        " workflow now.",
    ),
    Event("refetched", "warning", "What {server} sent is no whole image: it is fetched again."),
    Event("staged_file_gone", "warning", "Somebody removed {filename} before it was published."),
    Event("disk_full", "warning", "Rendered, but not stored: {detail!p}. It is tried again."),
    Event(
        "unanswered",
        "warning",
        "{server} does not answer ({detail!p}): the prompt is kept, and asked for again.",
    ),
    Event("answered", "info", "{server} answers again."),
    Event("hung", "warning", "No progress on {server} for {seconds} s: the prompt is stopped."),
    Event("lost", "warning", "{server} lost the prompt ({detail!p}): the plan is queued again."),
    Event(
        "interrupted",
        "warning",
        "Somebody else interrupted the prompt on {server}: the plan is queued again.",
    ),
    Event("refused", "warning", "{server} lacks {detail!p}: the plan is queued again."),
    Event(
        "stood_aside", "warning", "{server} stands aside ({detail!p}): the plan is queued again."
    ),
    Event(
        "split",
        "warning",
        "{server} stands aside ({detail!p}): the prompt is followed there still.",
    ),
    Event("abandoned", "warning", "{server} was given up ({detail!p}): the plan is queued again."),
    Event("cancel_requested", "info", "Cancel requested."),
    Event("cancelled", "info", "Cancelled."),
    Event("kept", "info", "The image was finished before the cancel: it is kept."),
    Event(
        "runs_out",
        "info",
        "{server} can only stop whatever runs, and somebody else's prompt waits there: this one"
        " runs to its end, and its image is dropped.",
    ),
    Event(
        "retried",
        "info",
        "Queued again by retry: {values}.",
        without="Queued again by retry.",
    ),
    Event(
        "retried_with",
        "info",
        "Queued again by retry, with {workflow}: {values}.",
        without="Queued again by retry, with {workflow}.",
    ),
    Event("retried_manually", "info", "Waits for an upload again, by retry."),
    Event("own_values", "info", "Beside what its batch has: {values}."),
    Event(
        "own_workflow",
        "info",
        "Not its batch's, but {workflow}: {values}.",
        without="Not its batch's, but {workflow}.",
    ),
)


def sentence(code: str, data: Mapping[str, object]) -> str:
    """Return the sentence of a log entry; unknown codes stand for themselves."""
    return Sentence(template(code, data), data) if code in EVENTS else code


def template(code: str, data: Mapping[str, object]) -> str:
    """Return an event's sentence before its data are put in, `without` what they do not hold."""
    event = EVENTS[code]
    fields = {name for _, name, *_ in Formatter().parse(event.sentence) if name}
    return event.without if event.without and not fields <= data.keys() else event.sentence
