// Pages stay true: their marked pieces are fetched again when something has changed. A page is told so,
// of its episode or of all; whoever cannot listen asks from time to time.
(() => {
  "use strict";
  const EVERY_MS = 2000;
  // Of what changes one after the other, each is not fetched by itself.
  const REST_MS = 300;
  // What no event tells of (how long ago something was, what servers are up to) is fetched so often.
  const QUIET_MS = 10000;
  const stop = new AbortController();
  let tag = "";
  // A page of all episodes, where always something happens, is fetched no oftener than it would ask.
  let restMs = REST_MS;
  let isTold = () => false;
  let hasNews = false;
  let isFetching = false;
  let fetchedAt = Date.now();
  let timer = 0;

  async function refresh() {
    const headers = { "X-Madsea-Live": "1", ...(tag && { "If-None-Match": tag }) };
    const answer = await fetch(location.href, { headers, signal: stop.signal, redirect: "error" });
    // Nothing has changed since the last time (304), or the server has no page now.
    if (!answer.ok) return answer.status < 500;
    let isWhole = true;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(old.id);
      if (!now) continue;
      if (isInUse(old)) {
        isWhole = false;
        continue;
      }
      keepOpen(old, now);
      if (now.outerHTML !== old.outerHTML) old.replaceWith(document.adoptNode(now));
    }
    // A piece that was left alone is asked for again.
    tag = isWhole ? answer.headers.get("ETag") || "" : "";
    return isWhole;
  }

  // What somebody types, or is about to press by the keyboard, is not taken from under the hands.
  function isInUse(piece) {
    const fields = [...piece.querySelectorAll("input, select, textarea")];
    return fields.some((field) => field.value !== field.defaultValue) ||
      (piece.contains(document.activeElement) && document.activeElement.matches("input, select, button"));
  }

  function keepOpen(old, now) {
    const before = old.querySelectorAll("details");
    now.querySelectorAll("details").forEach((details, at) => { details.open = Boolean(before[at]?.open); });
  }

  function isDue() {
    if (document.hidden) return false;
    if (hasNews) return true;
    if (isTold() && Date.now() - fetchedAt < QUIET_MS) return false;
    return Boolean(document.querySelector("[data-unfinished]"));
  }

  async function follow() {
    clearTimeout(timer);
    let rest = EVERY_MS;
    if (isDue()) {
      isFetching = true;
      hasNews = false;
      fetchedAt = Date.now();
      let isDone = false;
      try {
        isDone = await refresh();
      } catch {
        // The server is away, or the page is being left: the next round tells.
      }
      if (isDone && hasNews) rest = restMs;
      hasNews ||= !isDone && isTold();
      isFetching = false;
    }
    if (!stop.signal.aborted) timer = setTimeout(follow, rest);
  }

  function note() {
    hasNews = true;
    if (isFetching || stop.signal.aborted) return;
    clearTimeout(timer);
    timer = setTimeout(follow, Math.max(0, fetchedAt + restMs - Date.now()));
  }

  // A second click on what is being sent sends nothing; and a refresh in flight while a form is sent
  // would take the message that tells what came of it.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, 5000);
    stop.abort();
  });
  // Come back to by the browser's own button, a page can be used again.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  // The theme hides the page until it is set up: only then can anything have the focus.
  document.addEventListener("alpine:initialized", () => {
    setTimeout(() => document.querySelector("[autofocus]")?.focus());
  });
  // Small pictures are made behind, the newest first: those of a page may come later than it.
  const TRIES = 30;
  const PATIENCE = 10;
  document.addEventListener("error", (event) => {
    const image = event.target;
    const tried = Number(image.dataset?.tried || 0);
    if (!image.matches?.("img.madsea-picture") || tried >= TRIES) return;
    image.dataset.tried = tried + 1;
    setTimeout(() => { image.src = image.src; }, EVERY_MS * (Math.min(tried, PATIENCE) + Math.random()));
  }, true);
  document.addEventListener("DOMContentLoaded", () => {
    const address = document.querySelector("[data-events]")?.dataset.events;
    if (address) isTold = window.madseaListen(address, note);
    if (address?.includes("episode_id=all")) restMs = EVERY_MS;
    timer = setTimeout(follow, EVERY_MS);
  });
})();
