// Files dropped on a page: sent one after another, so that each is told of and none is too much.
(() => {
  "use strict";
  const TRIES = 20;
  const AGAIN_MS = 3000;
  const natural = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  async function send(form) {
    const files = [...form.elements.file.files].sort((one, other) => natural.compare(one.name, other.name));
    const said = form.querySelector("ul");
    const button = form.querySelector("[type=submit]");
    said.replaceChildren();
    said.hidden = false;
    button.disabled = true;
    let refused = 0;
    for (const [at, file] of files.entries()) {
      button.textContent = `${at + 1} of ${files.length}`;
      if (!(await sendOne(form, file, at, said))) refused += 1;
    }
    button.disabled = false;
    button.textContent = "Publish";
    if (!refused) location.reload();
  }

  // While too much is being decoded, a file is sent again by itself.
  async function sendOne(form, file, at, said) {
    const line = said.appendChild(document.createElement("li"));
    for (let tried = 0; tried < TRIES; tried += 1) {
      if (tried) await new Promise((resume) => setTimeout(resume, AGAIN_MS));
      const told = await once(form, file, at, line);
      if (told.ok) return true;
      if (!told.again) break;
    }
    line.className = "madsea-wrong";
    return false;
  }

  async function once(form, file, at, line) {
    const body = new FormData(form);
    body.set("file", file);
    body.set("at", at);
    line.textContent = `${file.name} …`;
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Madsea-Drop": "1" } });
      const told = await answer.json();
      line.textContent = told.said.join(" ");
      return told;
    } catch {
      line.textContent = `${file.name}: ${form.dataset.lost}`;
      return {};
    }
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-drop]")) return;
    event.preventDefault();
    send(event.target);
  }, true);
  // The theme writes a chosen file's name into a text field beside it: these forms have none.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-drop] [type=file]")) event.stopPropagation();
  }, true);
  // What is dropped beside the field belongs to it as well.
  for (const form of document.querySelectorAll("[data-drop]")) {
    form.addEventListener("dragover", (event) => event.preventDefault());
    form.addEventListener("drop", (event) => {
      event.preventDefault();
      form.elements.file.files = event.dataTransfer.files;
    });
  }
})();
