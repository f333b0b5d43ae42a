"use strict";
// The explorer of cases. Whatever a model wrote is put into the page as text, by textContent alone.
(() => {
  const WINDOW = 60, root = document.getElementById("case-explorer");
  if (!root) return;
  const at = (id) => document.getElementById(`case-${id}`);
  const make = (tag, text, parent, kind) => { const one = document.createElement(tag); if (text !== null) one.textContent = text; if (kind) one.className = kind; if (parent) parent.append(one); return one; };
  const bytesOf = (text) => { if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text); const raw = atob(text), bytes = new Uint8Array(raw.length); for (let n = 0; n < raw.length; n++) bytes[n] = raw.charCodeAt(n); return bytes; };
  const unpack = async (text) => JSON.parse(await new Response(new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
  const waiting = new Map(), kept = new Map();
  globalThis.medo1Chunk = (number, text) => { waiting.get(number)?.(text); waiting.delete(number); };
  const packedChunk = (number) => {
    const inside = document.getElementById(`cases-${number}`);
    if (inside) return Promise.resolve(inside.textContent);
    return new Promise((done, failed) => { waiting.set(number, done); const script = document.createElement("script"); script.src = `${at("place").textContent}${number}.js`;
      script.onerror = () => failed(new Error(`${script.src} is missing: keep the folder of cases beside the page`)); script.onload = () => script.remove(); document.head.append(script); });
  };
  const chunk = async (number) => { if (!kept.has(number)) { if (kept.size > 6) kept.delete(kept.keys().next().value); kept.set(number, packedChunk(number).then(unpack)); }
    try { return await kept.get(number); } catch (error) { kept.delete(number); throw error; } };
  let index, starts, shown = [], first = 0, found = null, search = 0, open = -1;
  const chunkOf = (question) => { let low = 0, high = index.firsts.length - 1; while (low < high) { const middle = (low + high + 1) >> 1; if (index.firsts[middle] <= question) low = middle; else high = middle - 1; } return low; };
  const textsOf = async (question) => { const number = chunkOf(question); return (await chunk(number))[question - index.firsts[number]]; };

  // Which questions are listed

  const wished = () => ({ benchmark: at("benchmark").value, arm: at("arm").value, outcome: at("outcome").value, status: at("status").value, draw: at("draw").value,
    easiest: at("easiest").value, hardest: at("hardest").value, shortest: at("shortest").value, longest: at("longest").value });
  const number = (text, otherwise) => text === "" ? otherwise : Number(text);
  const filtered = () => {
    const wish = wished(), { questions: q, rows: r } = index, arm = wish.arm === "" ? -1 : Number(wish.arm), status = wish.status === "" ? -1 : Number(wish.status);
    const easiest = number(wish.easiest, -Infinity), hardest = number(wish.hardest, Infinity), shortest = number(wish.shortest, -Infinity), longest = number(wish.longest, Infinity);
    const graded = easiest > -Infinity || hardest < Infinity, measured = shortest > -Infinity || longest < Infinity, benchmark = wish.benchmark === "" ? -1 : Number(wish.benchmark), kept = [];
    for (let n = 0; n < q.id.length; n++) {
      if (benchmark >= 0 && q.benchmark[n] !== benchmark) continue;
      if (graded && (q.difficulty[n] === null || q.difficulty[n] < easiest || q.difficulty[n] > hardest)) continue;
      if (found && !found.has(n)) continue;
      if (wish.outcome === "disagree") { if (disagree(n)) kept.push(n); continue; }
      let fits = false;
      for (let row = starts[n]; row < starts[n + 1] && !fits; row++) {
        if ((wish.draw === "greedy" && r.sample[row] >= 0) || (arm >= 0 && r.arm[row] !== arm)) continue;
        if ((wish.outcome === "right" && !r.correct[row]) || (wish.outcome === "wrong" && r.correct[row])) continue;
        if (status >= 0 && r.status[row] !== status) continue;
        if (measured && (r.tokens[row] === null || r.tokens[row] < shortest || r.tokens[row] > longest)) continue;
        fits = true;
      }
      if (fits) kept.push(n);
    }
    return kept;
  };
  const greedyOf = (n) => { const rows = []; for (let row = starts[n]; row < starts[n + 1]; row++) if (index.rows.sample[row] < 0) rows.push(row); return rows; };
  const disagree = (n) => { const letters = new Set(greedyOf(n).map((row) => index.rows.letter[row])); return letters.size > 1; };

  // The list

  const draw = () => {
    const body = at("list"); body.textContent = "";
    first = Math.max(0, Math.min(first, Math.floor(Math.max(0, shown.length - 1) / WINDOW) * WINDOW));
    for (const n of shown.slice(first, first + WINDOW)) {
      const row = make("tr", null, body); row.dataset.question = n; if (n === open) row.setAttribute("aria-current", "true");
      const head = make("th", null, row); head.scope = "row"; const link = make("a", index.questions.head[n] || `${index.questions.id[n]}: its text may not be passed on`, head); link.href = `#case=${index.questions.benchmark[n]}.${index.questions.id[n]}`;
      if (index.benchmarks.length > 1) make("td", index.benchmarks[index.questions.benchmark[n]], row, "left");
      make("td", index.questions.difficulty[n] ?? "·", row); make("td", index.questions.gold[n], row);
      const rows = new Map(greedyOf(n).map((one) => [index.rows.arm[one], one]));
      index.arms.forEach((_, arm) => { const one = rows.get(arm); const cell = make("td", one === undefined ? "·" : `${index.rows.letter[one] || "unread"} ${index.rows.correct[one] ? "✓" : "✗"}`, row, one === undefined ? "" : index.rows.correct[one] ? "yes" : "no");
        if (one !== undefined) cell.title = `${index.rows.tokens[one] ?? "?"} tokens, ${index.statuses[index.rows.status[one]]}`; });
    }
    const last = Math.min(first + WINDOW, shown.length);
    at("count").textContent = shown.length ? `${(first + 1).toLocaleString("en")} to ${last.toLocaleString("en")} of ${shown.length.toLocaleString("en")} questions` : "No question fits.";
    at("back").disabled = first === 0; at("on").disabled = last >= shown.length;
  };
  const refilter = () => { shown = filtered(); first = 0; draw(); };

  // One case

  const highlighted = (parent, said) => {
    const box = make("div", null, parent, "said"); box.tabIndex = 0; box.setAttribute("role", "region");
    if (said.text === undefined) { make("em", "This text may not be passed on.", box); return box; }
    const [start, end] = said.span ?? [0, 0];
    box.append(said.text.slice(0, start)); if (end > start) make("mark", said.text.slice(start, end), box); box.append(said.text.slice(end)); if (!said.text) make("em", "nothing", box);
    return box;
  };
  const show = async (n, focus = true) => {
    const started = performance.now(), place = at("detail"), ticket = ++show.last; let texts;
    try { texts = await textsOf(n); } catch (error) { place.textContent = error.message; return; }
    if (ticket !== show.last) return;
    open = n; place.textContent = ""; const q = index.questions, r = index.rows, gold = q.gold[n];
    const heading = make("h3", `Question ${q.id[n]}`, place); heading.tabIndex = -1;
    make("p", [index.benchmarks[q.benchmark[n]], q.difficulty[n] === null ? "" : `difficulty ${q.difficulty[n]}`].filter(Boolean).join(", "), place, "soft");
    make("div", texts.stem ?? "The text of this question may not be passed on.", place, "said stem"); if (texts.link) { make("p", `Published at ${texts.link}`, place, "soft"); }
    const list = make("ol", null, place, "options"); texts.options.forEach((text, option) => { const letter = String.fromCharCode(65 + option), item = make("li", `${letter}. ${text}`, list); if (letter === gold) { item.className = "gold"; make("span", " (right)", item); } });
    if (!texts.options.length) make("p", `Right: ${gold}`, place);
    const side = make("div", null, place, "side");
    index.arms.forEach((arm, number) => {
      const rows = []; for (let row = starts[n]; row < starts[n + 1]; row++) if (r.arm[row] === number) rows.push(row);
      if (!rows.length) return;
      const column = make("article", null, side), title = make("h4", arm, column); column.setAttribute("aria-label", arm); title.className = `arm-name a${root.dataset.places.split(" ")[number]}`;
      const drawn = (row, into) => {
        const said = texts.said[row - starts[n]], told = r.letter[row] ? `${r.letter[row]}, ${r.correct[row] ? "right" : "wrong"}` : `no answer read (${index.statuses[r.status[row]]})`;
        const line = make("p", `${r.sample[row] < 0 ? "greedy" : `sample ${r.sample[row] + 1}`}: `, into, "soft"); make("strong", told, line, r.correct[row] ? "yes" : "no"); line.append(` · ${r.tokens[row] ?? "?"} tokens · read by ${said.rule}`);
        highlighted(into, said).setAttribute("aria-label", `${arm}, ${r.sample[row] < 0 ? "greedy" : `sample ${r.sample[row] + 1}`}`);
      };
      const greedy = rows.filter((row) => r.sample[row] < 0), sampled = rows.filter((row) => r.sample[row] >= 0);
      greedy.forEach((row) => drawn(row, column));
      const vote = texts.votes.find((one) => one[0] === arm);
      if (vote) { const letters = {}; sampled.forEach((row) => { const letter = r.letter[row] || "unread"; letters[letter] = (letters[letter] ?? 0) + 1; });
        make("p", `Votes: ${Object.entries(letters).sort((a, b) => b[1] - a[1]).map(([letter, times]) => `${letter} ${times}`).join(", ")}. The majority of ${vote[1]} says ${vote[2] || "nothing"}${vote[2] ? (vote[2] === gold ? ", right" : ", wrong") : ""}.`, column); }
      if (sampled.length) { const fold = make("details", null, column); make("summary", `${sampled.length} samples`, fold); fold.addEventListener("toggle", () => { if (fold.open && fold.children.length === 1) sampled.forEach((row) => drawn(row, fold)); }); }
      const like = texts.like[arm];
      if (like) { const fold = make("details", null, column); make("summary", like.same ? "the chain of this question, learnt from" : "a chain that it learnt from, of the training question most like this", fold); make("div", like.stem, fold, "said stem"); make("div", like.chain, fold, "said").tabIndex = 0; }
    });
    for (const row of at("list").rows) { if (Number(row.dataset.question) === n) row.setAttribute("aria-current", "true"); else row.removeAttribute("aria-current"); }
    root.dataset.took = Math.round(performance.now() - started); if (focus) heading.focus();
  };
  show.last = 0;
  const fromLink = () => { const link = location.hash.match(/^#case=(\d+)\.([0-9a-f]{16})$/); if (!link) return; const n = index.questions.id.findIndex((id, place) => id === link[2] && index.questions.benchmark[place] === Number(link[1]));
    if (n >= 0) { const place = shown.indexOf(n); if (place >= 0) { first = Math.floor(place / WINDOW) * WINDOW; draw(); } show(n); } };
  const step = (by) => { const place = shown.indexOf(open), next = shown[place < 0 ? 0 : place + by]; if (next !== undefined) location.hash = `case=${index.questions.benchmark[next]}.${index.questions.id[next]}`; };

  // Search in everything

  const searched = async (event) => {
    event.preventDefault(); const words = at("words").value.trim().toLowerCase(), ticket = ++search, bar = at("progress");
    if (!words) { found = null; at("searched").textContent = ""; bar.hidden = true; refilter(); return; }
    const hits = new Set(); bar.hidden = false; bar.max = index.firsts.length;
    for (let number = 0; number < index.firsts.length; number++) {
      let texts; try { texts = await unpack(await packedChunk(number)); } catch (error) { at("searched").textContent = error.message; return; }
      if (ticket !== search) return;
      texts.forEach((one, place) => { const whole = [one.stem ?? "", ...one.options, ...one.said.map((said) => said.text ?? "")]; if (index.questions.id[index.firsts[number] + place].includes(words) || whole.some((text) => text.toLowerCase().includes(words))) hits.add(index.firsts[number] + place); });
      bar.value = number + 1; at("searched").textContent = `${hits.size} found in ${number + 1} of ${index.firsts.length} parts`; await new Promise((done) => setTimeout(done));
    }
    bar.hidden = true; found = hits; at("searched").textContent = `${hits.size} questions hold these words, in the question or in what was said.`; refilter();
  };

  const began = async () => {
    index = await unpack(document.getElementById("cases-index").textContent);
    const { questions: q, rows: r } = index; starts = new Int32Array(q.id.length + 1); for (const n of r.question) starts[n + 1]++; for (let n = 0; n < q.id.length; n++) starts[n + 1] += starts[n];
    const options = (id, names) => names.forEach((name, place) => { const one = make("option", name, at(id)); one.value = place; });
    options("benchmark", index.benchmarks); options("arm", index.arms); options("status", index.statuses);
    if (index.benchmarks.length < 2) { at("benchmark").closest("label").hidden = true; at("benchmark-head").remove(); }
    if (q.difficulty.every((one) => one === null)) for (const id of ["easiest", "hardest"]) at(id).closest("label").hidden = true;
    index.arms.forEach((arm) => { make("th", arm.replaceAll("_", "_\u200b"), at("heads")).scope = "col"; });
    for (const one of at("filters").querySelectorAll("select, input:not([type=search])")) one.addEventListener("input", () => { const before = performance.now(); refilter(); root.dataset.filtered = performance.now() - before; });
    at("filters").addEventListener("submit", searched); at("clear").addEventListener("click", () => { at("filters").reset(); search++; found = null; at("searched").textContent = ""; at("progress").hidden = true; refilter(); });
    at("back").addEventListener("click", () => { first -= WINDOW; draw(); }); at("on").addEventListener("click", () => { first += WINDOW; draw(); });
    at("previous").addEventListener("click", () => step(-1)); at("next").addEventListener("click", () => step(1));
    root.addEventListener("keydown", (event) => { if (event.target.closest("input, select") || event.ctrlKey || event.metaKey || event.altKey) return; if (event.key === "j") step(1); if (event.key === "k") step(-1); });
    addEventListener("hashchange", fromLink); refilter(); root.hidden = false; root.dataset.ready = performance.now(); fromLink();
  };
  began().catch((error) => { root.hidden = false; root.textContent = `The cases cannot be shown: ${error.message}`; });
})();
