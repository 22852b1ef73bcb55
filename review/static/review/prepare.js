// What is to be made again, looked over plan by plan, and started as batches by one press.
(() => {
  "use strict";
  const table = document.getElementById("table");
  const dialog = document.getElementById("prepare");
  const sentences = JSON.parse(document.getElementById("sentences").textContent);
  if (!dialog) return;
  const form = dialog.querySelector("form");
  const rows = dialog.querySelector(".retakes");
  const wrong = dialog.querySelector(".bad");
  const start = form.querySelector("[data-start]");
  let key = "";
  let found = [];

  const csrf = () => document.cookie.split("; ").find((each) => each.startsWith(`${table.dataset.csrfCookie}=`))?.split("=")[1] || "";
  const told = (name, values = {}) => sentences[name].replace(/\{(\w+)\}/g, (_, each) => values[each]);

  async function all() {
    const address = new URL(table.dataset.retakesUrl, location.href);
    if (table.dataset.sequence) address.searchParams.set("sequence_id", table.dataset.sequence);
    const read = [];
    for (let next = address.href; next;) {
      const answer = await fetch(next, { redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = await answer.json();
      read.push(...page.results);
      next = page.next;
    }
    return read;
  }

  async function open() {
    key = crypto.randomUUID?.() || `${Date.now()}-${Math.random()}`;
    rows.replaceChildren();
    wrong.textContent = told("reading");
    start.disabled = true;
    dialog.showModal();
    try {
      found = await all();
      wrong.textContent = found.length ? "" : told("no_retakes");
      rows.replaceChildren(...found.map(row));
    } catch (error) {
      wrong.textContent = told("gone_wrong", { detail: error.message });
    }
    tellStart();
  }

  function row(retake, at) {
    const item = dialog.querySelector("template").content.cloneNode(true).firstElementChild;
    const field = (name) => item.querySelector(`[name="${name}"]`);
    const canBeMade = retake.style !== null && !retake.in_render;
    const image = document.getElementById(`p${retake.plan_id}`)?.querySelector("img");
    if (image) item.querySelector("img").src = image.dataset.src;
    else item.querySelector("img").remove();
    item.querySelector("b").textContent = `${retake.sequence_id}-${retake.plan}`;
    item.querySelector("q").textContent = retake.review.comment;
    item.querySelector(".prompt").textContent = retake.prompt ?? "";
    item.querySelector("em").textContent = retake.in_render ? told("in_render") : retake.style === null ? told("not_rendered") : "";
    field("take").checked = canBeMade;
    field("take").setAttribute("aria-label", `${retake.sequence_id}-${retake.plan}`);
    field("addition").value = retake.prompt === null ? "" : retake.prompt_addition;
    field("addition").disabled = retake.prompt === null;
    field("values").placeholder = Object.entries(retake.params).map(([name, value]) => `${name}=${value}`).join(" ");
    for (const part of item.querySelectorAll("details, div > label")) part.hidden = !canBeMade;
    for (const input of item.querySelectorAll("input, select")) {
      input.disabled ||= !canBeMade;
      input.dataset.at = at;
    }
    return item;
  }

  const chosen = () => [...rows.children].filter((item) => item.querySelector("[name=take]").checked);

  function tellStart() {
    const n = chosen().length;
    start.disabled = n === 0;
    start.textContent = told("start", { n });
  }

  // `steps=40 cfg=7`: numbers are numbers, everything else is text.
  function values(text) {
    return Object.fromEntries([...text.matchAll(/([\w.]+)=("[^"]*"|\S+)/g)].map(([, name, value]) => {
      const plain = value.replace(/^"|"$/g, "");
      return [name, plain !== "" && plain === value && Number.isFinite(Number(plain)) ? Number(plain) : plain];
    }));
  }

  function asked(item) {
    const field = (name) => item.querySelector(`[name="${name}"]`);
    const retake = found[Number(field("take").dataset.at)];
    const params = values(field("values").value);
    return {
      version: retake.version,
      seed: field("seed").value || form.elements.every_seed.value,
      ...(field("addition").value.trim() && { prompt_addition: field("addition").value.trim() }),
      ...(Object.keys(params).length && { params }),
    };
  }

  async function send(event) {
    event.preventDefault();
    const items = chosen();
    start.disabled = true;
    wrong.textContent = "";
    for (const item of rows.children) item.querySelector("em").textContent = "";
    try {
      const answer = await fetch(new URL(table.dataset.retakesUrl, location.href).pathname, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrf(), "Idempotency-Key": key },
        body: JSON.stringify({ retakes: items.map(asked), variations: Number(form.elements.variations.value) }),
      });
      const body = await answer.json();
      if (answer.ok) {
        dialog.close();
        document.getElementById("said").textContent = told("started", { n: items.length, batches: body.batches.length });
      } else refuse(body, items);
    } catch (error) {
      wrong.textContent = told("gone_wrong", { detail: error.message });
    }
    tellStart();
  }

  // A refused request is mended, and is another one then.
  function refuse(body, items) {
    key = crypto.randomUUID?.() || `${Date.now()}-${Math.random()}`;
    const others = [];
    for (const { attr, detail } of body.errors) {
      const item = items[Number(/^retakes\.(\d+)/.exec(attr || "")?.[1] ?? -1)];
      if (item) item.querySelector("em").textContent = detail;
      else others.push(detail);
    }
    wrong.textContent = others.join(" ") || told("look_below");
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-prepare]")) open();
    if (event.target.closest("[data-cancel]")) dialog.close();
  });
  rows.addEventListener("change", tellStart);
  form.addEventListener("submit", send);
})();
