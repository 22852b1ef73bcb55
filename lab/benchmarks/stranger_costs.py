"""What strangers cost a web process: each hostile request alone, and a flood beside a client."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from generation.runtime.processes import Started
from lab.benchmarks import process_usage
from lab.benchmarks.markdown_tables import Table, load, ms, ratio
from lab.benchmarks.measuring_sizes import Load
from lab.benchmarks.site import Site
from lab.hostile import crowds, raw_requests, request_cost, strange_requests

PER_S = 20
N_PASSWORDS = 24
WARM = 5
#: By turns, as others use the machine too.
N_WINDOWS = 4
_RATES = {"alone": 0, f"beside {PER_S}/s": PER_S}


def strangers(site: Site, size: Load) -> Iterator[Table]:
    """Measure single requests, many passwords at once, and a flood."""
    with site.web() as web:
        for _ in range(WARM):
            for strange in strange_requests.addresses():
                raw_requests.send(_port(site), strange.parts)
        yield _single(site, web)
        yield _passwords(site, web)
        yield _flood(site, web, size.flood_s)


def _port(site: Site) -> int:
    return urlsplit(site.base).port or 80


def _single(site: Site, web: Started) -> Table:
    table = Table(
        "What a stranger's request costs the web process",
        ("request", "answer", "CPU ms", "MiB", "bytes sent", "bytes answered"),
    )
    for strange in strange_requests.every():
        found = request_cost.of(web.process.pid, _port(site), strange.parts)
        reply = found.reply
        figures = ms(found.cpu_s, 0), f"{max(0.0, found.memory_mib):.1f}"
        sizes = f"{reply.n_sent:,}", f"{reply.n_bytes:,}"
        table.rows.append([strange.title, str(reply.status or "closed"), *figures, *sizes])
    table.notes.append("The kernel counts CPU in steps of 10 ms. A password costs its hash.")
    return table


def _passwords(site: Site, web: Started) -> Table:
    table = Table(
        f"{N_PASSWORDS} wrong passwords at once, each of another name",
        ("answers", "all after s", "CPU s", "of one core", "load"),
    )
    before = process_usage.cpu_s(web.process.pid)
    found = crowds.crowd(_port(site), N_PASSWORDS)
    took_s = max(reply.took_s for reply in found.replies)
    spent_s = process_usage.cpu_s(web.process.pid) - before
    share = f"{ratio(spent_s, took_s):.2f}"
    table.rows.append([found.counted(), f"{took_s:.1f}", f"{spent_s:.2f}", share, load()])
    return table


def _flood(site: Site, web: Started, seconds: float) -> Table:
    table = Table(
        f"A client that reads ten times a second, beside {PER_S} hostile requests a second",
        ("", "answers", "median ms", "p95 ms", "failed", "CPU s of the web process", "load"),
    )
    token = site.env["MADSEA_BENCH_TOKEN"]
    found = {title: crowds.Answers([], 0) for title in _RATES}
    spent_s = dict.fromkeys(_RATES, 0.0)
    strangers_met = crowds.StrangerAnswers()
    for title in [*_RATES] * N_WINDOWS:
        before = process_usage.cpu_s(web.process.pid)
        with crowds.flood(_port(site), _RATES[title], seconds / N_WINDOWS) as met:
            found[title] += crowds.read_as_frontend(site.base, token, seconds / N_WINDOWS)
        spent_s[title] += process_usage.cpu_s(web.process.pid) - before
        strangers_met.replies += met.replies
    for title, answers in found.items():
        times = f"{answers.median_ms:.0f}", f"{answers.p95_ms:.0f}", str(answers.n_failed)
        spent = f"{spent_s[title]:.1f}"
        table.rows.append([title, str(len(answers.seconds)), *times, spent, load()])
    alone, beside = found.values()
    table.notes.append(f"Ratio of the medians: {ratio(beside.median_ms, alone.median_ms):.2f}.")
    table.notes.append(f"What the strangers were answered: {strangers_met.counted()}.")
    return table
