// A draft: each field is sent to the API as it is left, and the page shows what the answer says.
(() => {
  "use strict";
  const page = document.getElementById("storyboard");
  if (!page) return;
  const api = page.dataset.api;
  // What the script says stands in the page, in the language of whoever reads it.
  const words = JSON.parse(document.getElementById("storyboard-words").textContent);
  const LOOK_MS = 1000;
  // What a proxy says that has waited long enough.
  const GATEWAY_TIMEOUT = 504;
  const FLAGS = ["selected", "checked"];
  const saved = page.querySelector("[data-saved]");
  const refused = page.querySelector("[data-refused]");
  const rows = [...page.querySelectorAll(".storyboard-board")];
  // So many boards are asked for at once, and so many problems are shown.
  const AT_ONCE = 200;
  const LINES_SHOWN = 50;
  let last = Promise.resolve();

  async function call(method, path = "", body = undefined) {
    const headers = {
      "X-CSRFToken": page.querySelector("[name=csrfmiddlewaretoken]").value,
      "Accept-Language": document.documentElement.lang,
    };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(`${api}${path}`, { method, headers, body: body && JSON.stringify(body) });
    if (answer.status === 204) return {};
    const { status } = answer;
    if (status === GATEWAY_TIMEOUT) throw Object.assign(new Error(), { status });
    const told = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(told.detail), { told, status });
    return told;
  }

  // While it is read ------------------------------------------------------------------------------

  async function follow() {
    try {
      const told = await call("GET");
      if (told.state !== "reading") return location.reload();
      page.querySelector("progress").value = told.progress;
      page.querySelector("[data-progress-text]").textContent = `${told.progress} %`;
    } catch {
      // The server is away: the next look tells.
    }
    return setTimeout(follow, LOOK_MS);
  }

  // Corrections -----------------------------------------------------------------------------------

  const field = (row, name) => row.querySelector(`[data-field="${name}"]`);
  const position = (row) => Number(row.dataset.position);
  const value = (input) => (input.type === "checkbox" ? input.checked : input.value);

  // One after another, in the order in which they were made.
  function send(boards) {
    last = last.then(async () => {
      boards.forEach((each) => problem(each.position, ""));
      saved.textContent = words.saving;
      try {
        show(await call("PATCH", `/boards?boards=${rows.map(position).join(",")}`, { boards }));
        saved.textContent = words.saved;
      } catch (error) {
        saved.textContent = "";
        const told = error.told?.errors || [{ attr: null, detail: words.unsaved }];
        for (const each of told) {
          const [, index] = /^boards\.(\d+)/.exec(each.attr || "") || [];
          if (index === undefined) refused.textContent = each.detail;
          else problem(boards[Number(index)].position, each.detail);
        }
      }
    });
    return last;
  }

  function problem(at, words) {
    const row = document.getElementById(`board-${at}`);
    if (row) row.querySelector("[data-problem]").textContent = words;
    else if (words) refused.textContent = words;
  }

  function show(told) {
    refused.textContent = "";
    page.dataset.revision = told.revision;
    for (const board of told.boards) showBoard(document.getElementById(`board-${board.position}`), board);
    for (const [name, n] of Object.entries(told.counts)) {
      page.querySelectorAll(`[data-count="${name}"]`).forEach((each) => { each.textContent = n; });
    }
    showProblems(told.problems);
    const none = page.querySelector(".storyboard-none");
    none.hidden = none.parentElement.dataset.show !== "doubtful" || told.counts.doubtful > 0;
  }

  function showBoard(row, board) {
    row.dataset.change = board.change;
    row.toggleAttribute("data-doubtful", board.doubts.length > 0 && !board.checked);
    // Where a sequence begins there is a line, and the button takes it away.
    row.classList.toggle("begins", board.begins_sequence);
    const button = row.querySelector("[data-act=boundary]");
    if (button) button.textContent = board.begins_sequence ? words.goesOn : words.begins;
    row.querySelector("[data-told-change]").textContent = words[`change_${board.change}`];
    row.querySelector("[data-told-in-render]").hidden = !board.in_render;
    row.querySelector("[data-told-approved]").hidden = !board.approved;
    page.querySelector(`li[data-doubtful="${board.position}"]`)?.classList.toggle("is-checked", board.checked);
    for (const input of row.querySelectorAll("[data-field]")) {
      if (input === document.activeElement && !FLAGS.includes(input.dataset.field)) continue;
      const now = board[input.dataset.field];
      if (input.type === "checkbox") input.checked = now;
      else input.value = now;
    }
  }

  function showProblems(problems) {
    const alert = document.getElementById("storyboard-problems");
    alert.hidden = problems.length === 0;
    const lines = problems.slice(0, LINES_SHOWN).map((each) => each.detail);
    if (problems.length > LINES_SHOWN) lines.push(`… + ${problems.length - LINES_SHOWN}`);
    alert.querySelector("ul").replaceChildren(...lines.map((words) => {
      const line = document.createElement("li");
      line.textContent = words;
      return line;
    }));
  }

  // The boards below one that are of one sequence, also those of other pages.
  async function restOfSequence(row) {
    const found = [];
    for (let first = position(row) + 1; ; first += AT_ONCE) {
      const { boards } = await call("GET", `?boards=${first}-${first + AT_ONCE - 1}`);
      for (const board of boards) {
        if (found.length && board.sequence_id !== found[0].sequence_id) return found;
        found.push(board);
      }
      if (boards.length < AT_ONCE) return found;
    }
  }

  async function fillDown(row) {
    await last;
    const [sequence, style] = [field(row, "sequence_id").value, field(row, "style").value];
    let number = Number(field(row, "plan").value);
    const boards = [];
    for (const below of await restOfSequence(row)) {
      const board = { position: below.position, style };
      if (sequence) board.sequence_id = sequence;
      // What is a plan already keeps its number; so does what is left out.
      if (number && below.change === "added") {
        number += 10;
        if (number <= 9999) board.plan = String(number).padStart(4, "0");
      }
      boards.push(board);
    }
    if (boards.length) send(boards);
  }

  page.addEventListener("change", (event) => {
    const input = event.target.closest("[data-field]");
    if (!input) return;
    const row = input.closest(".storyboard-board");
    send([{ position: position(row), [input.dataset.field]: value(input) }]);
  });

  page.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='?']");
    if (link && !event.ctrlKey && !event.metaKey) leave(event, link);
    const button = event.target.closest("button");
    if (!button) return;
    const row = button.closest(".storyboard-board");
    if (button.dataset.act === "boundary") {
      send([{ position: position(row), begins_sequence: !row.classList.contains("begins") }]);
    } else if (button.dataset.act === "fill") fillDown(row).catch(() => { refused.textContent = words.unreachable; });
    else if ("confirm" in button.dataset) confirm(button);
    else if ("delete" in button.dataset) remove();
  });

  // Another page shows what is saved: so that is waited for.
  async function leave(event, link) {
    event.preventDefault();
    await last;
    location.assign(link.href);
  }

  async function confirm(button) {
    button.disabled = true;
    await last;
    saved.textContent = words.making;
    try {
      await made();
      location.reload();
    } catch (error) {
      saved.textContent = "";
      button.disabled = false;
      refused.textContent = error.told ? error.told.errors.map((each) => each.detail).join(" ") : words.unreachable;
    }
  }

  // Many plans take longer than a proxy waits: whoever asks again gets the same answer.
  async function made() {
    const body = { revision: Number(page.dataset.revision) };
    for (;;) {
      try {
        return await call("POST", "/confirm?boards=1", body);
      } catch (error) {
        const isBeingMade = error.told?.errors.some((each) => each.code === "storyboard_being_confirmed");
        if (!isBeingMade && error.status !== GATEWAY_TIMEOUT) throw error;
        await new Promise((resume) => setTimeout(resume, LOOK_MS));
      }
    }
  }

  async function remove() {
    if (!window.confirm(words.sure)) return;
    try {
      await call("DELETE");
      location.assign(page.dataset.list);
    } catch (error) {
      window.alert(error.message);
    }
  }

  // Nothing is asked for as long as no sequence is ticked.
  function ticked() {
    const chosen = document.getElementById("storyboard-sequences");
    if (chosen) chosen.querySelector("button").disabled = !chosen.querySelector("input:checked");
  }
  page.addEventListener("change", ticked);
  window.addEventListener("pageshow", ticked);

  if (page.dataset.state === "reading") setTimeout(follow, LOOK_MS);
})();
