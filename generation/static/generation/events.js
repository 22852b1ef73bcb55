// Told what happens in an episode (GET /api/events), as long as somebody sees the page.
(() => {
  "use strict";
  // Who was refused, as too many listen, tries again after so long.
  const AGAIN_MS = 60000;

  // Calls `note` with what each event tells (nothing: read everything again); returns what answers
  // whether the page is told at this moment. Who is not asks from time to time.
  window.madseaListen = (address, note) => {
    const url = new URL(address, location);
    let stream = null;

    function take(event) {
      url.searchParams.set("last_event_id", event.lastEventId);
      note(event.type === "changed" ? JSON.parse(event.data) : null);
    }

    // Nobody sees a hidden page, and a browser has six connections to a host, for all its tabs.
    function listen() {
      if (document.hidden || stream) return;
      stream = new EventSource(url);
      stream.addEventListener("changed", take);
      stream.addEventListener("reset", take);
      stream.addEventListener("error", (event) => {
        // An answer that is an error ends it for good; what was cut off, the browser connects again.
        if (event.target.readyState !== EventSource.CLOSED || event.target !== stream) return;
        stream = null;
        setTimeout(listen, AGAIN_MS);
      });
    }

    function leave() {
      stream?.close();
      stream = null;
    }

    document.addEventListener("visibilitychange", () => { document.hidden ? leave() : listen(); });
    window.addEventListener("pagehide", leave);
    listen();
    return () => stream?.readyState === EventSource.OPEN;
  };
})();
