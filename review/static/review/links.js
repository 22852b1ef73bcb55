// Links for guests, made of what the table shows, listed and revoked. A new one's address is shown once.
(() => {
  "use strict";
  const table = document.getElementById("table");
  const dialog = document.getElementById("links");
  if (!dialog) return;
  const sentences = JSON.parse(document.getElementById("sentences").textContent);
  const form = dialog.querySelector("form");
  const made = dialog.querySelector(".made");
  const address = made.querySelector("input");
  const rows = dialog.querySelector(".given");
  const wrong = dialog.querySelector(".bad");
  const make = form.querySelector("[data-make]");
  let versions = [];

  const csrf = () => document.cookie.split("; ").find((each) => each.startsWith(`${table.dataset.csrfCookie}=`))?.split("=")[1] || "";
  const told = (name, values = {}) => sentences[name].replace(/\{(\w+)\}/g, (_, each) => values[each]);
  const day = (moment) => new Date(moment).toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "short", year: "numeric" });

  async function ask(path, sent) {
    const answer = await fetch(path, sent && {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf() },
      body: JSON.stringify(sent),
    });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.errors?.map((each) => each.detail).join(" ") || body.detail || answer.status);
    return body;
  }

  async function open() {
    const chosen = document.querySelectorAll("#grid .tile[data-selected]");
    const tiles = chosen.length ? chosen : document.querySelectorAll("#grid .tile");
    versions = [...tiles].map((tile) => Number(tile.dataset.version)).filter(Boolean);
    dialog.querySelector("[data-scope]").textContent = told(chosen.length ? "link_selected" : "link_shown", { n: versions.length });
    make.disabled = versions.length === 0;
    made.hidden = true;
    address.value = "";
    form.hidden = false;
    wrong.textContent = "";
    dialog.showModal();
    await list();
  }

  async function list() {
    try {
      const read = [];
      for (let next = table.dataset.linksUrl; next;) {
        const page = await ask(next);
        read.push(...page.results);
        next = page.next;
      }
      rows.replaceChildren(...read.map(row));
      dialog.querySelector("[data-none]").hidden = read.length > 0;
    } catch (error) {
      wrong.textContent = told("gone_wrong", { detail: error.message });
    }
  }

  function row(link) {
    const item = dialog.querySelector("template").content.cloneNode(true).firstElementChild;
    const name = link.label || told("link_unnamed", { id: link.id });
    const rights = [
      told("link_pictures", { n: link.versions.length }),
      told(link.may_decide ? "link_decides" : "link_advises"),
      ...(link.may_download ? [told("link_downloads")] : []),
      ...(link.has_password ? [told("link_password")] : []),
    ];
    item.dataset.state = link.state;
    item.querySelector("b").textContent = name;
    item.querySelector("em").textContent = told(`link_${link.state}`, { day: day(link.expires_at) });
    item.querySelector(".rights").textContent = rights.join(" · ");
    item.querySelector(".guests").textContent = link.guests.length ? told("link_guests", { names: link.guests.join(", "), day: day(link.last_used_at) }) : told("link_unused");
    const revoke = item.querySelector("button");
    revoke.hidden = link.state !== "open";
    revoke.setAttribute("aria-label", `${revoke.textContent.trim()}: ${name}`);
    revoke.addEventListener("click", async () => {
      if (!window.confirm(told("link_revoke", { name }))) return;
      wrong.textContent = "";
      try {
        await ask(`${new URL(table.dataset.linksUrl, location.href).pathname}/${link.id}/revoke`, {});
      } catch (error) {
        wrong.textContent = error.message;
      }
      await list();
    });
    return item;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { label, days, password, may_decide: decides, may_download: downloads } = form.elements;
    make.disabled = true;
    wrong.textContent = "";
    try {
      const { url } = await ask(new URL(table.dataset.linksUrl, location.href).pathname, {
        episode_id: Number(table.dataset.episode),
        ...(table.dataset.sequence && { sequence_id: table.dataset.sequence }),
        versions,
        label: label.value.trim(),
        days: Number(days.value),
        ...(password.value && { password: password.value }),
        may_decide: Boolean(decides?.checked),
        may_download: downloads.checked,
      });
      form.hidden = true;
      form.reset();
      made.hidden = false;
      address.value = url;
      address.select();
      await list();
    } catch (error) {
      wrong.textContent = error.message;
    }
    make.disabled = false;
  });

  // Without HTTPS a browser lets no script write to the clipboard but by what is selected.
  async function copy() {
    address.select();
    try {
      await navigator.clipboard.writeText(address.value);
    } catch {
      document.execCommand("copy");
    }
    document.getElementById("said").textContent = told("link_copied");
    made.querySelector("[data-copied]").textContent = told("link_copied");
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-links]")) open();
    if (event.target.closest("[data-copy]")) copy();
    if (event.target.closest("[data-leave]")) dialog.close();
  });
  // What was shown once stays nowhere.
  dialog.addEventListener("close", () => {
    address.value = "";
    made.querySelector("[data-copied]").textContent = "";
  });
})();
