// The light table: one key, one decision, on to the next. Decisions wait in an outbox that outlives
// the page; pictures of the next three plans are fetched before they are looked at.
(() => {
  "use strict";
  const [LOOK_MS, QUIET_MS, NOTED_MS] = [5000, 30000, 200];
  const RETRY_MS = [1000, 2000, 5000, 10000, 30000];
  // So many pictures are fetched ahead: more when each is looked at for less than a second.
  const [AHEAD, SKIMMED_AHEAD, SKIMS_MS] = [3, 8, 1000];
  // What is looked at for less has no details, boards or texts fetched: nobody reads them.
  const GLANCE_MS = 120;
  const KEPT_MAX = 16;
  const SAID_MS = 8000;

  const table = document.getElementById("table");
  const grid = document.getElementById("grid");
  const view = document.getElementById("view");
  const stage = document.getElementById("stage");
  const details = document.getElementById("details");
  const say = document.getElementById("say");
  const words = document.getElementById("words");
  const help = document.getElementById("help");
  const trouble = document.getElementById("trouble");
  const sentences = JSON.parse(document.getElementById("sentences").textContent);
  const may = { decide: "mayDecide" in table.dataset, comment: "mayComment" in table.dataset || "mayDecide" in table.dataset };
  const isPhone = matchMedia("(max-width: 860px)");

  const tiles = () => [...grid.querySelectorAll(".tile")];
  const tileOf = (plan) => document.getElementById(`p${plan}`);
  const planOf = (tile) => Number(tile.id.slice(1));
  const told = (name, values = {}) => sentences[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);

  let current = null; // the tile that is looked at
  let shown = null; // its version on the stage: {id, state, number, large, file}
  let held = ""; // what lies over the picture while a key is held
  let looks = 0; // counts the pictures that were asked for: a late one is dropped
  let looked = -Infinity; // when the last was
  let lastWords = sentences.reasons[0] || "";
  const selected = new Set();
  const was = new Map(); // by version, the state before what was decided here
  let resumed = null;
  const done = []; // what was done here, for Ctrl+Z: lists of {plan, version}

  // Pictures and details, fetched ahead ----------------------------------------------------------

  const pictures = new Map();
  const texts = new Map();

  function remember(kept, key, value) {
    kept.delete(key);
    kept.set(key, value);
    if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value);
    return value;
  }

  // An image that is decoded, asked for again while it is still being made. What is looked at next is
  // fetched before the small pictures of the grid, a board after them.
  function picture(address, priority = "high") {
    const known = pictures.get(address);
    if (known) return remember(pictures, address, known);
    const image = new Image();
    image.alt = "";
    image.fetchPriority = priority;
    image.src = address;
    const ready = image.decode().then(() => image);
    ready.catch(() => pictures.delete(address));
    return remember(pictures, address, ready);
  }

  // Small pictures come when their tile is half a screen away. The browser's own lazy loading fetches
  // further ahead the slower the network is: twice as many, where each costs most.
  const nearing = new IntersectionObserver((cells) => {
    for (const { isIntersecting, target } of cells) {
      if (!isIntersecting) continue;
      nearing.unobserve(target);
      const image = target.querySelector("img[data-src]");
      if (image) image.src = image.dataset.src;
    }
  }, { root: grid, rootMargin: "50% 0px" });

  const keyOf = (plan, version) => `${plan}.${version || ""}`;
  const isKnown = (plan, version) => texts.has(keyOf(plan, version));

  function text(plan, version) {
    const key = keyOf(plan, version);
    const known = texts.get(key);
    if (known) return remember(texts, key, known);
    const address = table.dataset.planUrl.replace(/0$/, plan) + (version ? `?version=${version}` : "");
    const ready = fetch(address, { redirect: "error" }).then((answer) => {
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.text();
    });
    ready.catch(() => texts.delete(key));
    return remember(texts, key, ready);
  }

  function forget(plan) {
    for (const key of texts.keys()) if (key.startsWith(`${plan}.`)) texts.delete(key);
  }

  // The tiles that come next, their pictures asked for.
  function ahead(n) {
    const all = tiles();
    const at = all.indexOf(current);
    const open = all.slice(at + 1).filter((tile) => tile.dataset.state === "to_review");
    const next = new Set([...all.slice(at + 1, at + 2), ...open.slice(0, n)]);
    const coming = [...next].slice(0, n);
    const large = coming.filter((tile) => tile.dataset.large).map((tile) => picture(tile.dataset.large));
    return { coming, large: Promise.allSettled(large) };
  }

  // Boards are looked at while a key is held: they come when the pictures are there.
  function aheadOfReading({ coming, large }) {
    const told = coming.slice(0, AHEAD).map((tile) => text(planOf(tile), tile.dataset.version));
    large.then(() => told.forEach((html) => html.then(board).then((address) => address && picture(address, "low")).catch(() => {})));
  }

  const board = (html) => html.match(/data-board="([^"]+)"/)?.[1].replaceAll("&amp;", "&");

  // Looking ---------------------------------------------------------------------------------------

  function look(tile, { focus = true, open = true } = {}) {
    if (!tile) return;
    current?.removeAttribute("aria-current");
    current?.setAttribute("tabindex", "-1");
    current = tile;
    tile.setAttribute("aria-current", "true");
    tile.setAttribute("tabindex", "0");
    if (open && (!isPhone.matches || document.body.dataset.view === "whole")) view.hidden = false;
    if (focus && !isWhole()) {
      tile.focus({ preventScroll: true });
      tile.scrollIntoView({ block: "nearest" });
    }
    history.replaceState(null, "", `#${tile.id}`);
    const { version, state, number, large, advice, advised } = tile.dataset;
    show({ id: Number(version) || null, state, number, large, advice, advised });
  }

  async function show(version) {
    const turn = ++looks;
    const tile = current;
    const isSkimmed = performance.now() - looked < SKIMS_MS;
    looked = performance.now();
    shown = version;
    tellState();
    delete stage.dataset.shown;
    leaveZoom();
    const pending = stage.querySelector(".pending");
    try {
      const image = version.large && await patiently(() => picture(version.large), () => turn === looks);
      if (turn !== looks) return;
      const next = ahead(isSkimmed ? SKIMMED_AHEAD : AHEAD);
      stage.querySelector(".picture")?.remove();
      if (image) {
        image.className = "picture";
        stage.prepend(image);
      }
      pending.hidden = true;
      await painted();
      if (turn !== looks) return;
      stage.dataset.shown = tile.id;
      if (!isKnown(planOf(tile), version.id)) await passed(GLANCE_MS);
      if (turn !== looks) return;
      const html = await text(planOf(tile), version.id);
      if (turn !== looks) return;
      showDetails(html);
      aheadOfReading(next);
    } catch (error) {
      if (turn === looks) details.textContent = told("gone_wrong", { detail: error.message });
    }
  }

  const passed = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
  const painted = () => new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });

  // A picture that was published a moment ago is still being made.
  async function patiently(ask, isWanted) {
    for (let tried = 0; ; tried += 1) {
      try {
        return await ask();
      } catch (error) {
        if (!isWanted() || tried > 60) throw error;
        stage.querySelector(".picture")?.remove();
        stage.querySelector(".pending").hidden = false;
        await passed(Math.min(5000, 500 * (tried + 1)));
        if (!isWanted()) throw error;
      }
    }
  }

  function showDetails(html) {
    details.innerHTML = html;
    const article = details.querySelector("article");
    if (article.dataset.file) shown.file = article.dataset.file;
    Object.assign(shown, { advice: article.dataset.advice, advised: article.dataset.advised });
    stage.querySelectorAll(".pin").forEach((pin) => pin.remove());
    details.querySelectorAll("[data-pin]").forEach((line, at) => putPin(line.dataset.pin.split(","), at + 1, line.textContent));
    compare();
  }

  // Where a picture itself stands: its element is as large as the stage, and seldom of its ratio.
  function placeOf(image) {
    const { left, top, width, height } = image.getBoundingClientRect();
    const scale = Math.min(width / image.naturalWidth, height / image.naturalHeight);
    const [own, high] = [image.naturalWidth * scale, image.naturalHeight * scale];
    return { left: left + (width - own) / 2, top: top + (height - high) / 2, width: own, height: high };
  }

  const partsOf = ({ clientX, clientY }, { left, top, width, height }) => [(clientX - left) / width, (clientY - top) / height];

  function putPin(at, number, title) {
    const pin = document.createElement("span");
    pin.className = "pin";
    pin.dataset.at = at;
    Object.assign(pin, { textContent: number, title });
    stage.append(pin);
    placePins();
  }

  function placePins() {
    const [image, pins] = [stage.querySelector(".picture"), stage.querySelectorAll(".pin")];
    if (!image || !pins.length) return;
    const [all, own] = [stage.getBoundingClientRect(), placeOf(image)];
    for (const pin of pins) {
      const [x, y] = pin.dataset.at.split(",");
      Object.assign(pin.style, { left: `${own.left - all.left + x * own.width}px`, top: `${own.top - all.top + y * own.height}px` });
    }
  }

  function tellState() {
    const { plan } = current.dataset;
    document.getElementById("name").textContent = shown.number ? `${plan} v${String(shown.number).padStart(4, "0")}` : plan;
    const state = document.getElementById("state");
    state.dataset.state = shown.state;
    state.textContent = `${sentences.signs[shown.state]} ${sentences.states[shown.state]}`;
  }

  // What the picture is compared with: the board, or another version. It lies over the picture.
  async function compare() {
    const address = details.querySelector("[data-against]")?.value;
    stage.querySelector(".against")?.remove();
    if (!address || !mode()) return;
    const turn = looks;
    const image = (await picture(address).catch(() => null))?.cloneNode();
    if (!image || turn !== looks || !mode() || stage.querySelector(".against")) return;
    image.className = "against";
    stage.append(image);
  }

  const mode = () => held || stage.dataset.chosen || "";

  function setMode(name) {
    stage.dataset.chosen = stage.dataset.chosen === name ? "" : name;
    showMode();
  }

  function hold(name) {
    if (held === name) return;
    held = name;
    showMode();
  }

  function showMode() {
    stage.dataset.mode = mode();
    document.querySelectorAll("[data-look]").forEach((button) => button.setAttribute("aria-pressed", button.dataset.look === mode()));
    placePins();
    compare();
  }

  // 100 %: the file itself, where the mouse is.
  async function zoom(event) {
    if ("zoom" in stage.dataset) return leaveZoom();
    const image = stage.querySelector(".picture");
    if (!image || !shown.file) return undefined;
    const pointed = event ? partsOf(event, placeOf(image)) : [];
    const part = pointed[0] >= 0 && pointed[0] <= 1 ? pointed : [0.5, 0.5];
    stage.dataset.zoom = "";
    pressed("zoom", true);
    const turn = looks;
    const whole = await picture(shown.file).catch(() => null);
    if (!whole || turn !== looks || !("zoom" in stage.dataset)) return undefined;
    whole.className = "picture";
    image.replaceWith(whole);
    stage.scrollTo(part[0] * whole.naturalWidth - stage.clientWidth / 2, part[1] * whole.naturalHeight - stage.clientHeight / 2);
    return undefined;
  }

  function leaveZoom() {
    if (!("zoom" in stage.dataset)) return;
    delete stage.dataset.zoom;
    pressed("zoom", false);
  }

  const pressed = (act, is) => document.querySelector(`[data-act="${act}"]`).setAttribute("aria-pressed", is);

  // Moving ----------------------------------------------------------------------------------------

  const isWhole = () => document.body.dataset.view === "whole";

  function setWhole(is) {
    document.body.dataset.view = is ? "whole" : "both";
    if (is) {
      view.hidden = false;
      stage.focus({ preventScroll: true });
    } else if (isPhone.matches) view.hidden = true;
    if (!is) current?.focus();
  }

  function move(step, extend = false) {
    const all = tiles();
    const to = all[Math.min(all.length - 1, Math.max(0, all.indexOf(current) + step))];
    if (extend) {
      choose(current, true);
      choose(to, true);
    }
    look(to);
  }

  // In the grid up and down lead to the tile above and below.
  function moveRow(step, extend) {
    if (isWhole()) return move(step, extend);
    const all = tiles();
    const from = current.getBoundingClientRect();
    const others = all.filter((tile) => {
      const place = tile.getBoundingClientRect();
      return step > 0 ? place.top >= from.bottom - 1 : place.bottom <= from.top + 1;
    });
    if (!others.length) return move(step * all.length, extend);
    const row = (step > 0 ? others[0] : others.at(-1)).getBoundingClientRect().top;
    const near = others.filter((tile) => Math.abs(tile.getBoundingClientRect().top - row) < 2)
      .sort((a, b) => Math.abs(a.getBoundingClientRect().left - from.left) - Math.abs(b.getBoundingClientRect().left - from.left))[0];
    return move(all.indexOf(near) - all.indexOf(current), extend);
  }

  function nextOpen() {
    const all = tiles();
    const at = all.indexOf(current);
    const next = [...all.slice(at + 1), ...all.slice(0, at)].find((tile) => tile.dataset.state === "to_review");
    if (next) look(next);
    else {
      look(current);
      tell(told("nothing_left"));
    }
  }

  function otherVersion(step) {
    const strip = [...details.querySelectorAll(".version")];
    const at = strip.findIndex((each) => Number(each.dataset.version) === shown.id);
    const to = strip[at - step];
    if (at >= 0 && to) showVersion(to);
  }

  function showVersion(button) {
    const { version, state, number, large, file } = button.dataset;
    show({ id: Number(version), state, number, large, file });
  }

  // Selecting -------------------------------------------------------------------------------------

  function choose(tile, is = !selected.has(tile)) {
    if (is) selected.add(tile);
    else selected.delete(tile);
    tile.toggleAttribute("data-selected", is);
    tile.parentElement.querySelector("input").checked = is;
    const bar = document.getElementById("chosen");
    bar.hidden = selected.size === 0;
    bar.querySelector("strong").textContent = told("selected", { n: selected.size });
  }

  const chooseNone = () => [...selected].forEach((tile) => choose(tile, false));

  function chooseTo(tile) {
    const all = tiles();
    const [from, to] = [all.indexOf(current), all.indexOf(tile)].sort((a, b) => a - b);
    all.slice(from, to + 1).forEach((each) => choose(each, true));
  }

  // Deciding --------------------------------------------------------------------------------------

  const AFTER = { approve: "approved", retake: "retake" };
  const FROM = { approve: ["to_review", "retake", "superseded"], retake: ["to_review"], undo: ["approved", "retake"], comment: Object.keys(sentences.states) };

  function targets() {
    if (!selected.size) return shown?.id ? [{ tile: current, version: shown.id, state: shown.state }] : [];
    return tiles().filter((tile) => selected.has(tile) && tile.dataset.version)
      .map((tile) => ({ tile, version: Number(tile.dataset.version), state: tile.dataset.state }));
  }

  // Ask for words first where it takes some.
  function ask(decision) {
    if (decision !== "comment" && !may.decide) return;
    if (!may.comment) return;
    const found = targets();
    if (!found.length) return tell(told("no_picture"));
    if (decision === "retake" && !selected.size) {
      if (found[0].state === "approved") return tell(told("is_approved"));
      if (found[0].state === "superseded") return tell(told("is_superseded"));
      if (found[0].state === "retake") decision = "comment";
    }
    openLine(decision);
  }

  // `resumed` is what was refused for want of words: it is sent again with them.
  function openLine(decision, item = null) {
    resumed = item;
    say.dataset.decision = decision;
    delete say.dataset.pin;
    document.getElementById("asked").textContent = told(decision === "undo" ? "why" : decision);
    document.getElementById("reasons").replaceChildren(...offered(decision).map((reason, at) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "act", textContent: reason });
      if (at < 9) {
        const digit = document.createElement("kbd");
        digit.textContent = at + 1;
        button.prepend(digit);
      }
      button.addEventListener("click", () => { words.value = reason; words.focus(); });
      return button;
    }));
    words.value = "";
    view.hidden = false;
    say.hidden = false;
    words.focus();
  }

  // The project's own words first; digits choose the first nine.
  const offered = (decision) => (decision === "retake" ? [...new Set([...sentences.vocabulary, ...sentences.reasons])] : sentences.reasons);

  function closeLine() {
    say.hidden = true;
    stage.querySelector(".pin.is-new")?.remove();
    (isWhole() ? stage : current)?.focus({ preventScroll: true });
  }

  function decide(decision, comment = "", pin = null) {
    if (decision === "comment" ? !may.comment : !may.decide) return;
    const asked = targets();
    const fit = asked.filter((each) => FROM[decision].includes(each.state) && !isUnsent(each.tile));
    if (!asked.length) return tell(told("no_picture"));
    if (!fit.length) return tell(told({ approve: "is_approved", retake: "is_superseded", undo: "nothing_to_undo" }[decision]));
    if (selected.size > 1 && !window.confirm(told(`confirm_${decision}`, { n: fit.length }))) return;
    if (fit.length < asked.length) tell(told("left_out", { n: asked.length - fit.length }));
    const isMany = selected.size > 0;
    chooseNone();
    post(decision, fit, comment, pin);
    if (decision === "approve" || decision === "retake") {
      done.push(fit.map(({ tile, version }) => ({ plan: planOf(tile), version })));
      if (!isMany) nextOpen();
    } else if (!isMany) look(current);
  }

  // What was advised becomes a decision, with its words.
  function takeOver() {
    if (!may.decide) return;
    const of = ({ dataset }) => ({ follows: Number(dataset.advice) || 0, decision: dataset.advised });
    const asked = selected.size ? targets().map((each) => ({ ...each, ...of(each.tile) }))
      : targets().map((each) => ({ ...each, ...of({ dataset: shown }) }));
    const fit = asked.filter((each) => each.follows && each.state === "to_review" && !isUnsent(each.tile));
    if (!fit.length) return tell(told("no_advice"));
    if (selected.size > 1 && !window.confirm(told("confirm_follow", { n: fit.length }))) return;
    if (fit.length < asked.length) tell(told("left_out", { n: asked.length - fit.length }));
    const isMany = selected.size > 0;
    chooseNone();
    post("", fit, "");
    done.push(fit.map(({ tile, version }) => ({ plan: planOf(tile), version })));
    if (!isMany) nextOpen();
  }

  // `fit`: what is decided about; each may carry a decision of its own, and the advice that it follows.
  function post(decision, fit, comment, pin) {
    const reviews = fit.map(({ version, state, follows, decision: own = decision }) => ({
      version, decision: own, seen: state, ...(comment && { comment }), ...(pin && { pin }), ...(follows && { follows }),
    }));
    const before = fit.map(({ tile, version, state }) => ({ plan: planOf(tile), version, state }));
    for (const { tile, version, state, decision: own = decision } of fit) {
      if (AFTER[own]) was.set(version, state);
      const after = own === "undo" ? was.get(version) : AFTER[own];
      if (after) setState(tile, version, after);
      forget(planOf(tile));
    }
    outbox.push({ key: crypto.randomUUID?.() || `${Date.now()}-${Math.random()}`, reviews, before });
    keep();
    flush();
  }

  function setState(tile, version, state) {
    const isShown = Number(tile.dataset.version) === version;
    if (!isShown && state === "approved") {
      const button = tile === current && details.querySelector(`.version[data-version="${version}"]`);
      if (button) Object.assign(tile.dataset, { version, number: button.dataset.number, large: button.dataset.large });
    }
    if (isShown || state === "approved") {
      count(tile.dataset.state, -1);
      count(state, 1);
      const old = sentences.states[tile.dataset.state];
      tile.dataset.state = state;
      tile.querySelector(".line .sign").textContent = sentences.signs[state];
      tile.setAttribute("aria-label", tile.getAttribute("aria-label").replace(`, ${old}`, `, ${sentences.states[state]}`));
    }
    if (tile === current && shown?.id === version) {
      shown.state = state;
      tellState();
    }
  }

  function count(state, step) {
    const filter = { to_review: "to_review", approved: "approved", retake: "retakes" }[state];
    document.querySelectorAll(`[data-count="${filter}"]`).forEach((each) => { each.textContent = Number(each.textContent) + step; });
  }

  function undoLast() {
    const last = done.pop();
    if (!last) return tell(told("nothing_to_undo"));
    const fit = last.map(({ plan, version }) => ({ tile: tileOf(plan), version }))
      .filter(({ tile }) => tile).map((each) => ({ ...each, state: each.tile.dataset.state }))
      .filter(({ state }) => FROM.undo.includes(state));
    if (!fit.length) return undoLast();
    post("undo", fit, "");
    look(fit[0].tile);
    return tell(told("undone"));
  }

  // The outbox: what was decided is sent in its order, and kept until it has been taken ------------

  const STORE = `madsea.review.${table.dataset.scope}`;
  const outbox = read();
  let isSending = false;
  let nFailed = 0;

  function read() {
    try {
      return JSON.parse(localStorage.getItem(STORE)) || [];
    } catch {
      return [];
    }
  }

  function keep() {
    try {
      if (outbox.length) localStorage.setItem(STORE, JSON.stringify(outbox));
      else localStorage.removeItem(STORE);
    } catch {
      // A browser that keeps nothing still sends.
    }
  }

  const isUnsent = (tile) => outbox.some((item) => item.refused && item.before.some((each) => each.plan === planOf(tile)));
  const csrf = () => document.cookie.split("; ").find((each) => each.startsWith(`${table.dataset.csrfCookie}=`))?.split("=")[1] || "";

  async function flush() {
    if (isSending) return;
    isSending = true;
    let item;
    while ((item = outbox.find((each) => !each.refused))) {
      if (!await sent(item)) break;
      keep();
      tellTrouble();
    }
    isSending = false;
    tellTrouble();
  }

  // Tell whether it is settled: taken, or refused for good.
  async function sent(item) {
    try {
      const answer = await fetch(table.dataset.reviewsUrl, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrf(), "Idempotency-Key": item.key },
        body: JSON.stringify({ reviews: item.reviews }),
        keepalive: true,
      });
      if (answer.status >= 500 || answer.status === 429 || answer.status === 401) throw new Error(answer.status);
      const body = await answer.json();
      outbox.splice(outbox.indexOf(item), 1);
      nFailed = 0;
      if (answer.ok) body.reviews.forEach(take);
      else refuse(item, body);
      return true;
    } catch (error) {
      nFailed += 1;
      item.isSignedOut = error.message === "401";
      setTimeout(flush, RETRY_MS[Math.min(nFailed, RETRY_MS.length) - 1]);
      return false;
    }
  }

  function take(review) {
    const tile = tileOf(review.plan_id);
    decided.set(review.plan_id, ++clock);
    if (!tile) return;
    setState(tile, review.version, review.became);
    for (const each of review.changed) if (Number(tile.dataset.version) === each.version) setState(tile, each.version, each.became);
    forget(review.plan_id);
    if (tile === current && !outbox.length) text(review.plan_id, shown.id).then((html) => tile === current && showDetails(html)).catch(() => {});
  }

  function refuse(item, body) {
    const places = new Map(body.errors.map((each) => [Number(/^reviews\.(\d+)/.exec(each.attr || "")?.[1] ?? 0), each]));
    item.before.forEach(({ plan, version, state }) => { if (tileOf(plan)) setState(tileOf(plan), version, state); });
    const first = item.before[[...places.keys()][0]] || item.before[0];
    if ([...places.values()].every((each) => each.code === "no_words") && item.reviews[0].decision === "undo") {
      look(tileOf(first.plan));
      openLine("undo", item);
      return;
    }
    item.refused = [...places].map(([at, each]) => ({ plan: item.before[at]?.plan, detail: each.detail }));
    outbox.push(item);
    refresh();
  }

  function tellTrouble() {
    tiles().forEach((tile) => tile.removeAttribute("data-unsent"));
    const waits = outbox.filter((item) => !item.refused);
    const refused = outbox.filter((item) => item.refused);
    const lines = refused.map(refusedLine);
    if (waits.length && nFailed) {
      const n = waits.reduce((sum, item) => sum + item.reviews.length, 0);
      const line = document.createElement("p");
      line.textContent = told("unsent", { n }) + (waits[0].isSignedOut ? ` ${told("signed_out")}` : "");
      lines.push(line);
    }
    for (const item of nFailed ? outbox : refused) item.before.forEach(({ plan }) => tileOf(plan)?.setAttribute("data-unsent", ""));
    trouble.replaceChildren(...lines);
    trouble.hidden = lines.length === 0;
  }

  function refusedLine(item) {
    const line = document.createElement("p");
    const named = item.refused.map(({ plan, detail }) => told("refused", { plan: tileOf(plan)?.dataset.plan || "", detail }));
    line.append(named.join(" "), " ");
    for (const [name, act] of [["again", again], ["drop", () => {}]]) {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "act", textContent: told(name) });
      button.addEventListener("click", () => {
        outbox.splice(outbox.indexOf(item), 1);
        act(item);
        keep();
        tellTrouble();
      });
      line.append(button);
    }
    return line;
  }

  // Decided anew, on what is seen now.
  function again(item, words = "") {
    const [{ comment = words, pin = null }] = item.reviews;
    const fit = item.reviews.map(({ version, decision, follows }, at) => ({ tile: tileOf(item.before[at].plan), version, decision, follows }))
      .filter(({ tile }) => tile).map((each) => ({ ...each, state: each.tile.dataset.state }))
      .filter(({ state, decision }) => FROM[decision].includes(state));
    if (fit.length) post("", fit, comment, pin);
    else tell(told("left_out", { n: item.before.length }));
  }

  // What others do --------------------------------------------------------------------------------

  let tag = "";
  const news = new Set();
  const advised = new Set(); // plans of which something else is advised by now

  // What was decided here while an answer was under way is newer than that answer.
  const decided = new Map();
  let clock = 0;

  async function refresh() {
    const began = ++clock;
    const answer = await fetch(`${table.dataset.statesUrl}?sequence=${encodeURIComponent(table.dataset.sequence)}`, {
      headers: tag ? { "If-None-Match": tag } : {}, redirect: "error",
    });
    if (!answer.ok) return;
    tag = answer.headers.get("ETag") || "";
    const body = await answer.json();
    const unsent = new Set(outbox.flatMap((item) => (item.refused ? [] : item.before.map((each) => each.plan))));
    for (const row of body.plans) {
      const tile = tileOf(row[0]);
      // What was decided here and is on its way counts more than what was read before it.
      if ((decided.get(row[0]) || 0) > began) {
        tag = "";
        note();
      } else if (tile && !unsent.has(row[0])) update(tile, row);
    }
    tellNews();
    if (advised.size) await showAdvice();
  }

  function update(tile, [plan, version, state, newest, , , advice]) {
    if (advice !== (Number(tile.dataset.advice) || null)) advised.add(plan);
    if (version === Number(tile.dataset.version) && state !== tile.dataset.state) {
      setState(tile, version, state);
      forget(plan);
    } else if (version !== (Number(tile.dataset.version) || null)) news.add(plan);
    if (newest > Number(tile.dataset.newest)) news.add(plan);
  }

  function tellNews() {
    const bar = document.getElementById("news");
    bar.hidden = news.size === 0;
    bar.firstElementChild.textContent = told("news", { n: news.size });
  }

  // Some tiles as they are now; nothing where they cannot be read.
  async function anew(plans) {
    const answer = await fetch(`${table.dataset.tilesUrl}?plans=${plans.join()}`, { redirect: "error" });
    return answer.ok ? new DOMParser().parseFromString(`<ol>${await answer.text()}</ol>`, "text/html") : null;
  }

  // It lies on the picture: nothing moves.
  async function showAdvice() {
    const plans = [...advised].slice(0, 100);
    const fresh = await anew(plans);
    if (!fresh) return;
    for (const plan of plans) {
      advised.delete(plan);
      const [now, tile] = [fresh.getElementById(`p${plan}`), tileOf(plan)];
      if (!now || !tile) continue;
      for (const name of ["advice", "advised"]) {
        if (now.dataset[name]) tile.dataset[name] = now.dataset[name];
        else delete tile.dataset[name];
      }
      tile.querySelector(".advice")?.remove();
      const line = now.querySelector(".advice");
      if (line) tile.querySelector(".line").before(line);
      forget(plan);
      if (tile === current) text(plan, shown.id).then((html) => tile === current && showDetails(html)).catch(() => {});
    }
  }

  // In their places: nothing moves under the hand.
  async function showNews() {
    const plans = [...news].slice(0, 100);
    const fresh = await anew(plans);
    if (!fresh) return;
    const was = current && planOf(current);
    for (const plan of plans) {
      const now = fresh.getElementById(`p${plan}`);
      const old = tileOf(plan);
      if (!now || !old) continue;
      choose(old, false);
      old.parentElement.replaceWith(document.adoptNode(now.parentElement));
      nearing.observe(now.parentElement);
      forget(plan);
      news.delete(plan);
    }
    tellNews();
    if (was) look(tileOf(was), { open: false });
  }

  // The stream of the episode says when to look; without it the page looks every few seconds.
  let isTold = () => false;
  let lookAgain = 0;

  async function follow() {
    clearTimeout(lookAgain);
    if (!document.hidden) await refresh().catch(() => {});
    clearTimeout(lookAgain);
    lookAgain = setTimeout(follow, isTold() ? QUIET_MS : LOOK_MS);
  }

  function note() {
    clearTimeout(lookAgain);
    lookAgain = setTimeout(follow, NOTED_MS);
  }

  // Words -----------------------------------------------------------------------------------------

  let saidUntil = 0;

  function tell(line) {
    const toast = document.getElementById("said");
    toast.textContent = line;
    clearTimeout(saidUntil);
    saidUntil = setTimeout(() => { toast.textContent = ""; }, SAID_MS);
  }

  say.addEventListener("submit", (event) => {
    event.preventDefault();
    const comment = words.value.trim();
    if (!comment) return;
    const { decision, pin } = say.dataset;
    const place = pin ? pin.split(",").map(Number) : null;
    if (decision === "retake") {
      lastWords = comment;
      sentences.reasons = [comment, ...sentences.reasons.filter((each) => each !== comment)].slice(0, 5);
    }
    closeLine();
    if (resumed) again(resumed, comment);
    else decide(decision, comment, place && { x: place[0], y: place[1] });
  });

  let reason = -1;
  words.addEventListener("keydown", (event) => {
    // By the character: with AZERTY a digit takes Shift or the number pad, and é, è, ç begin a sentence.
    const numbered = words.value === "" && !event.ctrlKey && !event.metaKey && /^[1-9]$/.test(event.key) && offered(say.dataset.decision)[event.key - 1];
    if (event.key === "Escape") closeLine();
    else if (numbered) {
      event.preventDefault();
      words.value = numbered;
    } else if (event.key === "ArrowUp" && sentences.reasons.length) {
      event.preventDefault();
      reason = (reason + 1) % sentences.reasons.length;
      words.value = sentences.reasons[reason];
    } else reason = -1;
  });

  stage.addEventListener("click", (event) => {
    const image = stage.querySelector(".picture");
    if (say.hidden || !image) return;
    const at = partsOf(event, placeOf(image));
    if (at.some((part) => part < 0 || part > 1)) return;
    say.dataset.pin = at.map((part) => part.toFixed(4)).join();
    stage.querySelector(".pin.is-new")?.remove();
    putPin(at, "•", "");
    stage.lastElementChild.classList.add("is-new");
    words.focus();
  });

  // Keys, mouse, touch ----------------------------------------------------------------------------

  const ACTS = {
    approve: () => decide("approve"),
    retake: () => ask("retake"),
    follow: takeOver,
    undo: () => decide("undo"),
    comment: () => ask("comment"),
    next: () => move(1),
    previous: () => move(-1),
    whole: () => setWhole(!isWhole()),
    close: () => setWhole(false),
    zoom,
    help: () => help.showModal(),
    news: showNews,
    none: chooseNone,
    leave: closeLine,
  };
  const KEYS = {
    v: ACTS.approve, r: ACTS.retake, u: ACTS.undo, t: ACTS.follow, c: ACTS.comment, z: () => zoom(pointer),
    w: () => setMode("wipe"), s: () => setMode("beside"), d: () => setMode("difference"), o: () => setMode("onion"),
    j: () => otherVersion(-1), k: () => otherVersion(1), x: () => choose(current), "?": ACTS.help,
    f: () => (document.fullscreenElement ? document.exitFullscreen() : view.requestFullscreen?.()),
    b: () => hold("board"),
    arrowleft: (event) => move(-1, event.shiftKey), arrowright: (event) => move(1, event.shiftKey),
    arrowup: (event) => moveRow(-1, event.shiftKey), arrowdown: (event) => moveRow(1, event.shiftKey),
    home: () => look(tiles()[0]), end: () => look(tiles().at(-1)),
    " ": ACTS.whole,
    escape: () => (selected.size ? chooseNone() : isWhole() && setWhole(false)),
  };
  let pointer = null;

  const isTyping = (target) => target.matches?.("input:not([type=checkbox]), textarea, select") || target.isContentEditable;

  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || isTyping(event.target) || event.altKey || !current) return;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") undoLast();
      else if (key === "a") tiles().forEach((tile) => choose(tile, true));
      else return;
    } else if (key === "r" && event.shiftKey) {
      if (lastWords) decide("retake", lastWords);
      else tell(told("no_words"));
    } else if (key === " " && event.target.closest("button:not(.tile), a, summary, input")) return;
    else if (KEYS[key]) {
      // A key that is held decides once.
      if (!event.repeat || key.startsWith("arrow")) KEYS[key](event);
    } else return;
    event.preventDefault();
  });
  document.addEventListener("keyup", (event) => { if (event.key.toLowerCase() === "b") hold(""); });
  window.addEventListener("blur", () => hold(""));

  document.addEventListener("click", (event) => {
    const tile = event.target.closest(".tile");
    const button = event.target.closest("button");
    if (tile) {
      if (event.shiftKey) chooseTo(tile);
      else if (event.ctrlKey || event.metaKey) choose(tile);
      if (isPhone.matches) setWhole(true);
      look(tile);
    } else if (button?.dataset.act) ACTS[button.dataset.act](event);
    else if (button?.dataset.look) setMode(button.dataset.look);
    else if (button?.classList.contains("version")) showVersion(button);
  });
  grid.addEventListener("change", (event) => choose(event.target.closest(".cell").querySelector(".tile"), event.target.checked));
  grid.addEventListener("dblclick", (event) => { if (event.target.closest(".tile")) setWhole(true); });
  details.addEventListener("change", compare);

  const holding = document.querySelector("[data-hold]");
  holding.addEventListener("pointerdown", () => hold(holding.dataset.hold));
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) holding.addEventListener(end, () => hold(""));

  stage.addEventListener("pointermove", (event) => {
    pointer = event;
    const place = stage.getBoundingClientRect();
    stage.style.setProperty("--wipe", `${100 * (event.clientX - place.left) / place.width}%`);
  });
  new ResizeObserver(placePins).observe(stage);
  let from = null;
  stage.addEventListener("touchstart", (event) => { from = event.touches.length === 1 ? event.touches[0] : null; }, { passive: true });
  stage.addEventListener("touchend", (event) => {
    const to = event.changedTouches[0];
    if (!from || mode() || "zoom" in stage.dataset) return;
    const [x, y] = [to.clientX - from.clientX, to.clientY - from.clientY];
    if (Math.abs(x) > 50 && Math.abs(x) > 2 * Math.abs(y)) move(x < 0 ? 1 : -1);
  });

  for (const name of ["part", "style"]) {
    document.getElementById(name)?.addEventListener("change", (event) => {
      const address = new URL(location.href);
      address.searchParams.set(name === "part" ? "sequence" : "style", event.target.value);
      address.searchParams.delete("page");
      address.hash = "";
      location.assign(address);
    });
  }

  // Small pictures that are still being made come later.
  grid.addEventListener("error", (event) => {
    const image = event.target;
    const tried = Number(image.dataset.tried || 0);
    if (tried > 60) return;
    image.dataset.tried = tried + 1;
    setTimeout(() => { image.src = image.dataset.src; }, Math.min(10000, 1000 * (tried + Math.random())));
  }, true);
  grid.addEventListener("load", (event) => event.target.removeAttribute("data-tried"), true);

  window.addEventListener("online", flush);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) follow(); });

  for (const cell of grid.querySelectorAll(".cell")) nearing.observe(cell);
  const first = tileOf(location.hash.slice(2)) || tiles().find((tile) => tile.dataset.state === "to_review") || tiles()[0];
  if (first) look(first, { open: true });
  tellTrouble();
  flush();
  isTold = window.madseaListen(table.dataset.eventsUrl, note);
  lookAgain = setTimeout(follow, LOOK_MS);
})();
