"""The small pieces of HTML that the supervisors' pages are made of."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from generation import signed_urls
from generation.models import Batch, Episode, Plan, PlanRun, Server, Version
from generation.selectors import batch_waits, batches, wait_reasons
from generation.selectors.batch_waits import Awaited
from generation.selectors.expected_ends import Expected
from generation.state_words import counted_runs, in_words
from generation.states import AttemptOutcome, BatchState, RunState, ServerHealth
from nomenclature.name import PlanTask
from nomenclature.rules import AI_CONCEPT
from wording import Sentence, say, to_say

THUMBNAIL_PX = 160
PICTURE_PX = 1280
NOTHING = SafeString("–")
_DAYS_AGO = to_say("{n} d ago")
_HOURS_AGO = to_say("{n} h ago")
_MINUTES_AGO = to_say("{n} min ago")

#: Each word's colour: `good`, `bad`, `busy`, `slow` (somebody is waited for) or `calm`.
TONES: Mapping[str, str] = {
    RunState.QUEUED: "calm",
    RunState.WAITING: "slow",
    RunState.RUNNING: "busy",
    RunState.DONE: "good",
    RunState.ERROR: "bad",
    RunState.CANCELLED: "calm",
    BatchState.STARTED: "calm",
    ServerHealth.UNKNOWN: "calm",
    ServerHealth.UP: "good",
    ServerHealth.DOWN: "bad",
    AttemptOutcome.OPEN: "busy",
    AttemptOutcome.LOST: "slow",
    AttemptOutcome.ABANDONED: "slow",
    AttemptOutcome.REFUSED: "slow",
    "info": "calm",
    "warning": "slow",
    "disabled": "calm",
    "draining": "slow",
    "awaited": "slow",
    "set aside": "bad",
    "blocked": "slow",
}


def label(word: str, text: str = "") -> SafeString:
    """A coloured label."""
    tone = TONES.get(word, "calm")
    return format_html('<span class="madsea-label is-{}">{}</span>', tone, text or in_words(word))


def bar(parts: Iterable[tuple[str, float]], text: str) -> SafeString:
    """A bar of coloured parts (tone, percent), and what it says in words."""
    left, drawn = 0.0, []
    for tone, pct in parts:
        drawn.append((tone, f"{left:.2f}", f"{pct:.2f}"))
        left += pct
    rects = format_html_join(
        "", '<rect class="is-{}" x="{}%" width="{}%" height="100%"></rect>', drawn
    )
    return format_html(
        '<span class="madsea-progress"><svg class="madsea-bar" role="img" aria-label="{}">{}</svg>'
        "<span>{}</span></span>",
        text,
        rects,
        text,
    )


def run_bar(run: PlanRun) -> SafeString:
    """How far a run is; a finished one has no bar, its label says all."""
    if run.state == RunState.RUNNING:
        return bar([("busy", run.progress_pct)], f"{run.progress_pct} %")
    return NOTHING if run.state != RunState.DONE else bar([("good", 100)], "100 %")


def batch_bar(batch: Batch) -> SafeString:
    """A batch's runs by state, and its progress.

    100 % means finished: where that is less than done, how many are done is said instead.
    """
    order = (RunState.DONE, RunState.ERROR, RunState.CANCELLED, RunState.RUNNING)
    shares = [
        ("off" if state == RunState.CANCELLED else TONES[state], batch.counts[state])
        for state in order
    ]
    total = batch.n_total or 1
    all_may_be_done = batch.n_cancelled + (0 if batch.is_unfinished else batch.n_error) == 0
    done = say("{n_done} of {n_total} done", n_done=batch.n_done, n_total=batch.n_total)
    text = f"{batches.progress(batch)} %" if all_may_be_done else done
    return bar([(tone, 100 * n / total) for tone, n in shares if n], text)


def counts(batch: Batch) -> SafeString:
    """How many runs of a batch are in each state, each a link to those runs."""
    runs = reverse("admin:generation_planrun_changelist")
    rows = [
        (runs, batch.pk, state.value, TONES[state], counted_runs(n, state))
        for state, n in batch.counts.items()
        if n
    ]
    return format_html_join(
        " ",
        '<a href="{}?batch__id__exact={}&state__exact={}" class="madsea-label is-{}">{}</a>',
        rows,
    )


def thumbnail(version: Version | None, width_px: int = THUMBNAIL_PX) -> SafeString:
    """A picture of a version, a link to its file."""
    if version is None:
        return NOTHING
    name = str(version)
    return format_html(
        '<a href="{}" target="_blank" rel="noopener" title="{}">'
        '<img class="madsea-picture" src="{}" alt="{}" loading="lazy" data-width="{}"></a>',
        signed_urls.signed_url(version.pk, name),
        name,
        signed_urls.signed_url(version.pk, name, width_px=width_px),
        name,
        width_px,
    )


def picture_strip(versions: Iterable[Version]) -> SafeString:
    """Pictures beside one another, each with its plan and a way to its page."""
    rows = ((thumbnail(version), link_to(version, plan_name(version.plan))) for version in versions)
    return format_html_join("", "<figure>{}<figcaption>{}</figcaption></figure>", rows)


def link(url: str, text: object) -> SafeString:
    """A link."""
    return format_html('<a class="madsea-link" href="{}">{}</a>', url, text)


def link_to(row: Model | None, text: object = None) -> SafeString:
    """A link to a row's page; the plain text where there is no such page."""
    if row is None:
        return NOTHING
    meta = row._meta
    try:
        url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return format_html("{}", text or row)
    return link(url, text or row)


def batch_link(batch: Batch | None) -> SafeString:
    """A link to a batch's page, by the name that people say."""
    if batch is None:
        return NOTHING
    url = reverse("admin:generation_batch_change", args=[batch.pk])
    return format_html(
        '<a class="madsea-link madsea-name" href="{}">{}</a>', url, batch.name or batch.public_id
    )


def list_url(model: type[Model], **lookups: Any) -> str:
    """The address of a list, filtered."""
    meta = model._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    query = "&".join(f"{name}={value}" for name, value in lookups.items())
    return f"{url}?{query}" if query else url


def ago(at: datetime | None) -> SafeString:
    """How long ago something was, the exact time on hovering."""
    if at is None:
        return NOTHING
    shown = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        shown.isoformat(),
        f"{shown:%Y-%m-%d %H:%M:%S %Z}",
        _since(at),
    )


def _since(at: datetime) -> str:
    seconds = (timezone.now() - at).total_seconds()
    for length, unit in ((86400, _DAYS_AGO), (3600, _HOURS_AGO), (60, _MINUTES_AGO)):
        if seconds >= length:
            return Sentence(unit, {"n": int(seconds // length)})
    return say("just now")


def duration(seconds: float) -> str:
    """How long something takes, in words that promise no more than is known."""
    if seconds < 60:
        return say("about {seconds} s", seconds=max(1, round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 60:
        return say("about {minutes} min", minutes=minutes)
    hours, rest = divmod(minutes, 60)
    return (
        say("about {hours} h {rest:02d} min", hours=hours, rest=rest)
        if hours < 24
        else say("about {days} d", days=round(hours / 24))
    )


def expected_end(told: Expected | None) -> SafeString:
    """When something is expected to end, and in how long; what is not known is said."""
    if told is None:
        return NOTHING
    if told.at is None:
        return format_html(
            '<small class="is-long">{}</small>', say("not known: {why}", why=told.why)
        )
    shown = timezone.localtime(told.at)
    left = max(0.0, (told.at - timezone.now()).total_seconds())
    return format_html(
        '<time datetime="{}" title="{}">{}</time> <small>{}</small>',
        shown.isoformat(),
        f"{shown:%Y-%m-%d %H:%M %Z}",
        f"{shown:%H:%M}",
        say("in {duration}", duration=duration(left)),
    )


def timestamp(at: datetime | None) -> SafeString:
    """A moment to the second."""
    if at is None:
        return NOTHING
    shown = timezone.localtime(at)
    return format_html(
        '<time datetime="{}">{}</time>', shown.isoformat(), f"{shown:%Y-%m-%d %H:%M:%S}"
    )


def live_piece(key: str, content: SafeString, *, unfinished: bool = False) -> SafeString:
    """A piece of a page that refreshes itself while anything on the page is unfinished."""
    mark = SafeString(" data-unfinished") if unfinished else SafeString("")
    return format_html('<div id="{}" data-live{}>{}</div>', key, mark, content)


def plan_name(plan: Plan) -> str:
    """A plan's name by the nomenclature: `E202_SQ0010-0010`."""
    sequence = plan.sequence
    name = PlanTask(sequence.episode.code, sequence.code, plan.code, AI_CONCEPT)
    return name.stem.removesuffix(f"_{AI_CONCEPT}")


def run_name(run: PlanRun) -> str:
    """The name of a run: its plan's, and which variation it is if it is not the first."""
    name = plan_name(run.plan)
    return f"{name} · {run.variation}" if run.variation > 1 else name


def episode(row: Episode) -> SafeString:
    """An episode with its project."""
    return format_html("{}<br><small>{}</small>", link_to(row), row.project)


def code(words: str) -> SafeString:
    """Something to copy, such as an id."""
    return format_html('<code class="madsea-code">{}</code>', words) if words else NOTHING


def run_reason(run: PlanRun, outlook: wait_reasons.Outlook | None = None) -> str:
    """Why a run is where it is: its error, or what it waits for; in short without an outlook."""
    if run.state == RunState.ERROR:
        return run.error_message
    known = outlook or wait_reasons.Outlook(situation(run))
    wait = wait_reasons.waits(run.state, run.wait_reason, known)
    if wait:
        return f"{wait['message']} {known.detail}" if wait["reason"] else wait["message"]
    asked = run.state == RunState.RUNNING and run.cancel_requested_at
    return say("Cancel requested.") if asked else ""


def situation(run: Any) -> wait_reasons.Situation:
    """What the batch of a run (from `admin_overviews.runs`) can hope for."""
    return wait_reasons.situation_of(run, is_paused=run.batch.paused_at is not None)


def queued_group(run: Any) -> wait_reasons.QueuedGroup:
    """Where a run (from `admin_overviews.runs`) stands, for its outlook in full."""
    needs_id = run.group.needs_id if run.group else None
    return wait_reasons.QueuedGroup(situation(run), needs_id, run.workflow_id)


def run_line(run: PlanRun) -> SafeString:
    """A run's label, and its bar while it runs."""
    running = run.state == RunState.RUNNING
    return format_html("{} {}", label(run.state), run_bar(run) if running else "")


def batch_label(batch: Batch) -> SafeString:
    """A batch's status, and what it waits for (from `admin_overviews.batches`)."""
    awaits = batch_waits.awaited(batch)
    beside = "" if awaits == Awaited.NOTHING else label("awaited", Sentence(awaits.value, {}))
    return format_html("{} {}", label(batch.status), beside)


def batch_line(batch: Batch) -> SafeString:
    """A batch's label, bar and counts."""
    return format_html("{} {} {}", batch_label(batch), batch_bar(batch), counts(batch))


def server_labels(server: Server) -> SafeString:
    """A server's health, and whether it takes work."""
    words = [server.health]
    if not server.is_enabled:
        words.append("disabled")
    elif server.is_draining:
        words.append("draining")
    if server.set_aside_at is not None:
        words.append("set aside")
    if server.blocks.all():
        words.append("blocked")
    return format_html_join(" ", "{}", ((label(word),) for word in words))


def escaped(value: object) -> SafeString:
    """Plain text as a piece of a page."""
    return format_html("{}", value)


def shortened(words: str, length: int = 80) -> SafeString:
    """The beginning of a text; the whole unfolds on a click, a tap or Enter."""
    if not words:
        return NOTHING
    if len(words) <= length:
        return format_html('<span class="madsea-why">{}</span>', words)
    cut = words[: length - 1].rstrip()
    return format_html('<details class="madsea-why"><summary>{}…</summary>{}</details>', cut, words)


def whole_text(words: str) -> SafeString:
    """A text that somebody else wrote, with its own lines."""
    return format_html('<span class="madsea-whole">{}</span>', words) if words else NOTHING
