// The page that asks for plans: what would happen is told anew whenever something is changed.
(() => {
  "use strict";
  const AFTER_MS = 400;
  // What decides which values there are, and what they are by themselves.
  const DECIDING = ["style", "variant", "workflow", "mode"];
  const form = document.getElementById("generate");
  if (!form) return;
  let timer = 0;
  let asking = null;
  form.querySelector(".madsea-look")?.remove();

  function mark(value) {
    const field = value.querySelector("[name^='value:']");
    const isGiven = field.value !== "" || value.classList.contains("is-long");
    value.classList.toggle("is-changed", isGiven && field.value !== value.dataset.held);
  }

  function changed(event) {
    const value = event.target.closest(".madsea-value");
    if (value) {
      const slider = value.querySelector("[type=range]");
      const field = value.querySelector("[name^='value:']");
      if (event.target === slider) field.value = slider.value;
      else if (slider) slider.value = field.value;
      mark(value);
    }
    const isDeciding = DECIDING.includes(event.target.name);
    clearTimeout(timer);
    timer = setTimeout(() => look(isDeciding), isDeciding ? 0 : AFTER_MS);
  }

  async function look(withValues) {
    asking?.abort();
    asking = new AbortController();
    const body = new URLSearchParams([...new FormData(form)].filter(([name]) => name !== "start"));
    try {
      const answer = await fetch(form.action, { method: "POST", body, signal: asking.signal, redirect: "error" });
      if (!answer.ok) return;
      show(new DOMParser().parseFromString(await answer.text(), "text/html"), withValues);
    } catch {
      // Another look has begun, or the server is away: a press tells.
    }
  }

  function show(fresh, withValues) {
    for (const id of ["generate-forecast", ...(withValues ? ["generate-values", "generate-choices"] : [])]) {
      const now = fresh.getElementById(id);
      if (!now) continue;
      now.querySelector(".madsea-look")?.remove();
      document.getElementById(id).replaceWith(document.adoptNode(now));
    }
    if (!withValues) problems(fresh);
  }

  // What is wrong is told beside each field, which stays under the hands.
  function problems(fresh) {
    const words = new Map([...fresh.querySelectorAll(".madsea-value")].map(
      (value) => [value.querySelector("[name^='value:']").name, value.querySelector("[data-problem]").textContent],
    ));
    for (const value of form.querySelectorAll(".madsea-value")) {
      const name = value.querySelector("[name^='value:']").name;
      value.querySelector("[data-problem]").textContent = words.get(name) || "";
    }
  }

  form.addEventListener("input", changed);
  form.addEventListener("click", (event) => {
    if (!event.target.matches(".madsea-undo")) return;
    const value = event.target.closest(".madsea-value");
    const field = value.querySelector("[name^='value:']");
    field.value = value.dataset.held;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });
})();
