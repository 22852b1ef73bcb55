// Pages that show something unfinished stay true: their marked pieces are fetched again.
(() => {
  "use strict";
  const EVERY_MS = 2000;
  const stop = new AbortController();

  async function refresh() {
    if (document.hidden || !document.querySelector("[data-unfinished]")) return;
    const answer = await fetch(location.href, { signal: stop.signal, redirect: "error" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(old.id);
      if (now && now.outerHTML !== old.outerHTML) old.replaceWith(document.adoptNode(now));
    }
  }

  async function follow() {
    try {
      await refresh();
    } catch {
      // The server is away, or the page is being left: the next round tells.
    }
    if (!stop.signal.aborted) setTimeout(follow, EVERY_MS);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-confirm]");
    if (button && !confirm(button.dataset.confirm)) event.preventDefault();
  });
  // A refresh in flight while a form is sent would take the message that tells what came of it.
  document.addEventListener("submit", () => stop.abort());
  document.addEventListener("DOMContentLoaded", () => setTimeout(follow, EVERY_MS));
})();
