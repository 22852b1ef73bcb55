// A storyboard is sent to the API, and its page is opened, where it is seen being read.
(() => {
  "use strict";
  const form = document.getElementById("storyboard-give");
  if (!form) return;
  const problem = form.querySelector("[data-problem]");
  const progress = form.querySelector("[data-progress]");

  // A file that says which episode it is of ("E210 …") says so in the fields, too.
  form.querySelector("[name=file]").addEventListener("change", (event) => {
    const name = event.target.files[0]?.name || "";
    const [, season, number] = /(?:^|[^A-Za-z0-9])E(\d{1,3})(\d\d)(?!\d)/.exec(name) || [];
    if (!season || season === "0") return;
    form.querySelector("[name=season]").value = `S${season.padStart(2, "0")}`;
    form.querySelector("[name=episode]").value = `E${season}${number}`;
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const body = new FormData(form);
    body.delete("csrfmiddlewaretoken");
    const sent = new XMLHttpRequest();
    sent.open("POST", form.dataset.api);
    sent.setRequestHeader("Accept-Language", document.documentElement.lang);
    sent.setRequestHeader("X-CSRFToken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    sent.upload.addEventListener("progress", (at) => {
      progress.textContent = at.lengthComputable ? `${Math.round((100 * at.loaded) / at.total)} % ${form.dataset.sent}` : "";
    });
    sent.addEventListener("load", () => {
      button.disabled = false;
      const told = read(sent.responseText);
      if (sent.status === 202) location.assign(`${form.dataset.page}${told.id}/change/`);
      else refuse(told);
    });
    sent.addEventListener("error", () => {
      button.disabled = false;
      refuse({ detail: form.dataset.unreachable });
    });
    problem.textContent = "";
    button.disabled = true;
    sent.send(body);
  });

  function read(text) {
    try {
      return JSON.parse(text);
    } catch {
      return { detail: form.dataset.broken };
    }
  }

  function refuse(told) {
    progress.textContent = "";
    const lines = (told.errors || [told]).map((each) => [each.attr, each.detail].filter(Boolean).join(": "));
    problem.textContent = lines.join(" ");
  }
})();
