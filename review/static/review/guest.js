// A guest's page: what is said of a picture is sent without leaving it, then the next one comes.
(() => {
  "use strict";
  const main = document.querySelector(".cards");
  const place = document.getElementById("place");
  const cards = () => [...main.querySelectorAll(".card")];
  const at = () => Math.round(main.scrollLeft / main.clientWidth);

  function tell() {
    place.textContent = `${at() + 1} / ${cards().length}`;
  }

  function go(card) {
    if (!card) return;
    main.scrollTo({ left: cards().indexOf(card) * main.clientWidth, behavior: "smooth" });
    history.replaceState(null, "", `#${card.id}`);
  }

  function ready(card) {
    card.querySelectorAll("[data-act]").forEach((button) => { button.hidden = false; });
  }

  let isPlain = false;

  async function send(form, button) {
    const card = form.closest(".card");
    const words = form.elements.comment;
    if (button.value !== "approve" && button.value !== "undo" && !words.value.trim()) {
      words.focus();
      return;
    }
    // Read before the buttons are disabled: the one that was pressed would say nothing.
    const body = new URLSearchParams(new FormData(form, button));
    form.querySelectorAll("button").forEach((each) => { each.disabled = true; });
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Card": "1" }, redirect: "error" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector(".card");
      if (!fresh) {
        document.body.replaceChildren(...page.body.children);
        return;
      }
      const typed = words.value;
      card.replaceWith(document.adoptNode(fresh));
      ready(fresh);
      if (!answer.ok) fresh.querySelector("textarea").value = typed;
      else if (button.value === "approve" || button.value === "retake") {
        const all = cards();
        const here = all.indexOf(fresh);
        go([...all.slice(here + 1), ...all.slice(0, here)].find((each) => "open" in each.dataset));
      }
    } catch {
      // Without an answer the form is sent as forms are: the browser says what is wrong.
      form.querySelectorAll("button").forEach((each) => { each.disabled = false; });
      isPlain = true;
      form.requestSubmit(button);
    }
  }

  document.addEventListener("submit", (event) => {
    if (isPlain || !event.submitter) return;
    event.preventDefault();
    send(event.target, event.submitter);
  });

  main.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act=board]");
    if (!button) return;
    const isBoard = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", isBoard);
    const card = button.closest(".card");
    card.querySelector(".board").hidden = !isBoard;
    card.querySelector(".picture").hidden = isBoard;
  });

  document.addEventListener("keydown", (event) => {
    if (event.target.matches("textarea, input") || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    go(cards()[at() + step]);
  });

  // A picture that was published a moment ago is still being made.
  main.addEventListener("error", (event) => {
    const image = event.target;
    const tried = Number(image.dataset.tried || 0);
    if (image.tagName !== "IMG" || tried >= 10) return;
    image.dataset.tried = tried + 1;
    setTimeout(() => { image.src = `${image.src.split("?")[0]}?${tried + 1}`; }, 1000 * (tried + 1));
  }, true);

  main.addEventListener("scroll", tell, { passive: true });
  cards().forEach(ready);
  const first = document.getElementById(location.hash.slice(1)) || cards().find((card) => "open" in card.dataset);
  if (first) main.scrollLeft = cards().indexOf(first) * main.clientWidth;
  tell();
})();
