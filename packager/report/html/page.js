"use strict";
(() => {
const $ = id => document.getElementById(id);
const DOCS = JSON.parse($("data").textContent);
const el = (tag, props, ...kids) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "hue") node.style.setProperty("--h", value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...kids.filter(kid => kid != null));
  return node;
};
const MIB = 1048576, PASTED = /^(drop =|find |lpack |pip |services =|slim =|zip )/;
const group = text => text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const whole = number => group(String(number));
const mib = bytes => {
  const [value, unit] = Math.abs(bytes) < MIB / 10 ? [bytes / 1024, "KiB"] : [bytes / MIB, "MiB"];
  const [int, frac] = value.toFixed(1).split(".");
  return group(int) + "." + frac + " " + unit;
};
const signed = bytes => bytes === 0 ? "" : (bytes < 0 ? "−" : "+") + mib(Math.abs(bytes));
const many = (n, one, more) => n === 1 ? "1 " + one : whole(n) + " " + (more || one + "s");
// Names are other people's: invisible and direction-changing characters are shown as what they are.
const safe = text => String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, c => "\\u" + c.codePointAt(0).toString(16).padStart(4, "0"));
const hueOf = name => { let h = 7; for (const c of name) h = (h * 31 + c.codePointAt(0)) % 9973; return h * 47 % 360; };
const title = owner => owner.name ? safe(owner.name + " " + owner.version).trim() : "your code";

let doc, owners, before, column = 1, mode = "size", query = "", path = [], tree, sort = ["size", -1], opened = new Set(), current = null;

// ---- the tree: owners, then folders, then files; nodes are {name, label, size, old, kids, owner}
function build() {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = text => words.every(word => text.includes(word));
  const root = {name: "", label: safe(doc.artifact.path), size: 0, old: 0, files: 0, kids: new Map(), owner: null};
  const add = (owner, row, side) => {
    const key = owner.name || "\0";
    if (words.length && !fits((owner.name || "your code").toLowerCase() + " " + row[0].toLowerCase())) return;
    const size = row[column] || 0;
    let node = root;
    const step = (name, label) => {
      let next = node.kids.get(name);
      if (!next) node.kids.set(name, next = {name, label, size: 0, old: 0, files: 0, kids: new Map(), owner: key, up: node});
      node = next;
    };
    const count = () => { node[side] += size; if (side === "size") node.files++; };
    count();
    step(key, title(owner)); count();
    for (const part of row[0].split("/")) { step(part, safe(part)); count(); }
    node.path = row[0];
  };
  for (const owner of owners) for (const row of owner.files) add(owner, row, "size");
  if (doc.baseline) for (const owner of before.values()) for (const row of owner.files) add(owner, row, "old");
  if (!words.length && !doc.artifact.compressed_bytes && column === 2) root.size = 0;
  for (const kid of root.kids.values()) squeeze(kid);
  return root;
}
function squeeze(node) {
  // A folder that holds one folder only is one step, as `a/b`.
  for (const [name, kid] of [...node.kids]) {
    let only = kid;
    while (only.kids.size === 1) {
      const next = only.kids.values().next().value;
      if (!next.kids.size) break;
      next.label = only.label + "/" + next.label; next.name = only.name + "/" + next.name; next.up = node;
      only = next;
    }
    if (only !== kid) { node.kids.delete(name); node.kids.set(only.name, only); }
    squeeze(only);
  }
}
const area = node => mode === "change" ? Math.max(node.size, node.old) : node.size;
const kidsOf = node => [...node.kids.values()].filter(kid => area(kid) > 0).sort((a, b) => area(b) - area(a) || (a.name < b.name ? -1 : 1));

// ---- squarified treemap (Bruls, Huizing, van Wijk 2000)
function squarify(nodes, x, y, w, h) {
  const boxes = [];
  let total = nodes.reduce((sum, node) => sum + area(node), 0), from = 0;
  while (from < nodes.length && w > 0 && h > 0 && total > 0) {
    const side = Math.min(w, h), scale = w * h / total;
    let sum = 0, to = from, worst = Infinity;
    while (to < nodes.length) {
      const next = sum + area(nodes[to]), thick = next * scale / side;
      const ratio = node => { const length = area(node) * scale / thick; return Math.max(length / thick, thick / length); };
      const worse = Math.max(ratio(nodes[from]), ratio(nodes[to]));
      if (to > from && worse > worst) break;
      worst = worse; sum = next; to++;
    }
    const thick = sum * scale / side;
    let at = 0;
    for (let i = from; i < to; i++) {
      const length = area(nodes[i]) * scale / thick;
      boxes.push(w >= h ? [nodes[i], x, y + at, thick, length] : [nodes[i], x + at, y, length, thick]);
      at += length;
    }
    if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
    total -= sum; from = to;
  }
  return boxes;
}
function hue(node) {
  if (mode !== "change") return [hueOf(node.owner), null];
  const delta = node.size - node.old, share = Math.abs(delta) / (Math.max(node.size, node.old) || 1);
  return delta === 0 ? [215, "10%"] : [delta > 0 ? 8 : 145, Math.round(22 + 60 * Math.sqrt(share)) + "%"];
}
function words(node) {
  const total = area(tree) || 1;
  let text = node.label;
  for (let up = node.up; up && up.up; up = up.up) text = up.label + (up.up.up ? "/" : ": ") + text;
  if (node.up && !node.up.up) text = node.label;
  const figures = mode === "change"
    ? mib(node.old) + " → " + mib(node.size) + (node.size === node.old ? ", the same" : ", " + signed(node.size - node.old))
    : mib(node.size) + (column === 2 ? " zipped" : " unzipped") + ", " + (100 * node.size / total).toFixed(1) + " %";
  return text + ", " + figures + (node.kids.size ? ", " + many(node.files, "file") : "");
}
function drawMap() {
  const map = $("map"), here = at();
  map.replaceChildren();
  const w = map.clientWidth, h = map.clientHeight, kids = kidsOf(here);
  if (!kids.length) map.append(el("p", {class: "empty", text: query ? "Nothing fits the filter." : "There are no sizes to draw."}));
  let budget = 900;
  const place = (nodes, x, y, width, height, depth) => {
    for (const [node, bx, by, bw, bh] of squarify(nodes, x, y, width, height)) {
      if (budget-- < 0 || bw < 3 || bh < 3) continue;
      const [h1, s1] = hue(node), parts = kidsOf(node);
      const button = el("button", {type: "button", tabindex: "-1", hue: h1, "aria-label": words(node),
        class: (depth ? "in " : "") + (node.owner === "\0" ? "code " : "") + (node.kids.size ? "" : "leaf ") + (bw < 16 || bh < 12 ? "tiny" : "")});
      if (s1) button.style.setProperty("--ts", s1);
      Object.assign(button.style, {left: bx + "px", top: by + "px", width: bw + "px", height: bh + "px"});
      if (bw > 34 && bh > 15) button.append(el("span", {text: node.label}));
      const inside = parts.length && bw > 70 + 30 * depth && bh > 56 + 24 * depth && depth < 3;
      if (!inside && bw > 60 && bh > 31) button.append(el("span", {class: "sz", text: mode === "change" ? signed(node.size - node.old) || mib(node.size) : mib(node.size)}));
      button.node = node; button.box = [bx, by, bw, bh];
      map.append(button);
      if (inside) place(parts, bx + 3, by + 18, bw - 6, bh - 21, depth + 1);
    }
  };
  place(kids, 0, 0, w, h, 0);
  const first = map.querySelector("button");
  if (first) first.tabIndex = 0;
  const trail = $("trail");
  trail.replaceChildren();
  let node = tree;
  [null, ...path].forEach((name, i) => {
    if (name !== null) { node = node.kids.get(name); trail.append(el("i", {text: " / ", "aria-hidden": "true"})); }
    const last = i === path.length, depth = i;
    trail.append(el("button", {type: "button", text: node.label, "aria-current": last && "location", onclick: () => { if (!last) zoom(path.slice(0, depth)); }}));
  });
}
function at() {
  let node = tree;
  for (const [i, name] of path.entries()) {
    const next = node.kids.get(name);
    if (!next) { path = path.slice(0, i); break; }
    node = next;
  }
  return node;
}
function zoom(to, focus) {
  path = to; drawMap();
  $("info").textContent = words(at());
  if (focus) { const first = $("map").querySelector("button"); (first || $("filter")).focus(); }
}
const way = node => { const names = []; for (let n = node; n.up; n = n.up) names.unshift(n.name); return names; };
const tileOf = event => event.target.closest && event.target.closest("#map button");
$("map").addEventListener("click", event => {
  const tile = tileOf(event);
  if (!tile) return;
  $("info").textContent = words(tile.node);
  // A click goes one level deeper whatever lies under it; Enter goes into the tile that has the focus.
  const keys = event.detail === 0, to = way(tile.node).slice(0, keys ? undefined : path.length + 1);
  let node = tree;
  for (const name of to) node = node.kids.get(name);
  if (node.kids.size) zoom(to, keys);
});
for (const kind of ["mouseover", "focusin"]) $("map").addEventListener(kind, event => { const tile = tileOf(event); if (tile) $("info").textContent = words(tile.node); });
$("map").addEventListener("keydown", event => {
  const tile = tileOf(event), tiles = [...$("map").querySelectorAll("button")];
  if (event.key === "Escape" || event.key === "Backspace") {
    if (path.length) { event.preventDefault(); zoom(path.slice(0, -1), true); }
    return;
  }
  const step = {ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1]}[event.key];
  if (!tile || !(step || event.key === "Home" || event.key === "End")) return;
  event.preventDefault();
  let next = event.key === "Home" ? tiles[0] : event.key === "End" ? tiles[tiles.length - 1] : null;
  if (step) {
    const middle = ([x, y, w, h]) => [x + w / 2, y + h / 2], [cx, cy] = middle(tile.box);
    let best = Infinity;
    for (const other of tiles) {
      const [ox, oy] = middle(other.box), along = (ox - cx) * step[0] + (oy - cy) * step[1];
      const across = Math.abs((ox - cx) * step[1]) + Math.abs((oy - cy) * step[0]);
      if (other !== tile && along > 1 && along + 2 * across < best) { best = along + 2 * across; next = other; }
    }
  }
  if (next) { tile.tabIndex = -1; next.tabIndex = 0; next.focus(); }
});

// ---- the table
const COLUMNS = [["name", "distribution", ""], ["files", "files", "n opt"], ["unzipped", "unzipped", "n"], ["zipped", "zipped", "n"], ["retained", "retained", "n opt"]];
function rowsOf() {
  const rows = [];
  for (const [key, node] of tree.kids) {
    const owner = owners.find(each => (each.name || "\0") === key) || before.get(key);
    const filtered = !!query, sum = (o, index) => o ? o.files.reduce((all, row) => all + (row[index] || 0), 0) : 0;
    const now = owners.filter(each => (each.name || "\0") === key);
    const total = name => now.reduce((all, each) => all + each[name], 0);
    rows.push({key, owner, node, name: title(owner), files: node.files,
      unzipped: filtered && column === 1 ? node.size : total("uncompressed_bytes"), zipped: filtered && column === 2 ? node.size : total("compressed_bytes"),
      retained: now.length ? now[0][column === 2 ? "retained_compressed_bytes" : "retained_uncompressed_bytes"] : 0,
      size: area(node), change: node.size - node.old, gone: !now.length});
  }
  const [by, way] = sort;
  return rows.sort((a, b) => (typeof a[by] === "string" ? a[by].localeCompare(b[by]) : a[by] - b[by]) * way || (a.name < b.name ? -1 : 1));
}
function drawTable() {
  const columns = COLUMNS.filter(([id]) => id !== "zipped" || doc.artifact.compressed_bytes);
  if (doc.baseline) columns.push(["change", "change", "n"]);
  const head = $("table").tHead.rows[0];
  head.replaceChildren(...columns.map(([id, text, cls]) => el("th", {scope: "col", class: cls, "aria-sort": sort[0] === id ? (sort[1] < 0 ? "descending" : "ascending") : "none"},
    el("button", {type: "button", text, onclick: event => { sort = sort[0] === id ? [id, -sort[1]] : [id, id === "name" ? 1 : -1]; drawTable(); head.querySelectorAll("button")[columns.findIndex(c => c[0] === id)].focus(); void event; }}))));
  const body = $("table").tBodies[0], rows = rowsOf(), most = Math.max(1, ...rows.map(row => row.size));
  body.replaceChildren();
  for (const row of rows) {
    const bar = el("div", {class: "share", hue: hueOf(row.key)});
    bar.style.width = 100 * row.size / most + "%";
    const open = el("button", {type: "button", class: "open", text: row.name, "aria-expanded": String(opened.has(row.key)), onclick: () => {
      opened.has(row.key) ? opened.delete(row.key) : opened.add(row.key);
      drawTable();
      [...body.querySelectorAll(".open")].find(b => b.key === row.key).focus();
    }});
    open.key = row.key;
    const cells = {files: whole(row.files), unzipped: mib(row.unzipped), zipped: mib(row.zipped), retained: mib(row.retained), change: row.gone ? "gone " + signed(row.change) : signed(row.change)};
    body.append(el("tr", {}, ...columns.map(([id, , cls]) => id === "name" ? el("th", {scope: "row"}, open, bar)
      : el("td", {class: cls + (id === "change" ? row.change > 0 ? " up" : " down" : ""), text: cells[id]}))));
    if (opened.has(row.key)) body.append(el("tr", {class: "more"}, el("td", {colspan: columns.length}, ...details(row))));
  }
  const a = doc.artifact, totals = {name: "the artifact", files: whole(a.entries), unzipped: mib(a.uncompressed_bytes), zipped: mib(a.compressed_bytes), retained: "",
    change: doc.baseline ? signed((column === 2 ? a.compressed_bytes - doc.baseline.compressed_bytes : a.uncompressed_bytes - doc.baseline.uncompressed_bytes)) : ""};
  $("table").tFoot.replaceChildren(el("tr", {}, ...columns.map(([id, , cls]) => el(id === "name" ? "th" : "td", {scope: id === "name" && "row", class: cls, text: totals[id]}))));
}
function chainsTo(name) {
  const edges = new Map(owners.map(each => [each.name, each.required_by || []])), found = [];
  for (const edge of edges.get(name) || []) {
    const waiting = [[edge, []]], seen = new Set([name]);
    while (waiting.length) {
      const [now, tail] = waiting.shift();
      if (!now.parent) { found.push([now.origin, ...tail, edge.requirement]); break; }
      if (seen.has(now.parent)) continue;
      seen.add(now.parent);
      for (const above of edges.get(now.parent) || []) waiting.push([above, [above.requirement, ...tail]]);
    }
  }
  return found.sort((a, b) => a.length - b.length).slice(0, 8);
}
function details(row) {
  const parts = [], owner = row.owner;
  if (owner.name) {
    const chains = row.gone ? [] : chainsTo(owner.name);
    parts.push(el("h3", {text: "Required by"}));
    parts.push(el("ol", {}, ...(chains.length ? chains.map(chain => el("li", {class: "chain mono", text: chain.map(safe).join(" → ")})) : [el("li", {class: "chain", text: row.gone ? "it is in the earlier artifact only" : "nothing that is known"})])));
    const needs = owners.filter(each => (each.required_by || []).some(edge => edge.parent === owner.name)).map(title);
    if (needs.length) parts.push(el("h3", {text: "Requires"}), el("div", {class: "mono", text: needs.join(", ")}));
    if (owner.evidence === "guess") parts.push(el("p", {text: "Guessed by name: its metadata is not in the artifact."}));
    if (owner.placement && owner.placement !== "zip") parts.push(el("p", {text: "Placed in: " + safe(owner.placement)}));
  }
  const about = doc.findings.filter(each => owner.name && each.owner === owner.name);
  if (about.length) parts.push(el("h3", {text: "Findings"}), el("ul", {}, ...about.map(each => el("li", {text: each.code + " " + safe(each.message)}))));
  const files = [...owner.files].sort((a, b) => b[column] - a[column]).slice(0, 12);
  parts.push(el("h3", {text: "Largest files"}), el("table", {class: "files"}, el("tbody", {}, ...files.map(file => el("tr", {}, el("td", {class: "n", text: mib(file[column])}), el("td", {class: "mono", text: safe(file[0])}))))));
  return parts;
}

// ---- everything that does not move
function tile(text, value, under, share, state) {
  const meter = share == null ? null : el("div", {class: "meter " + state, role: "img", "aria-label": Math.round(100 * share) + " % of the limit"}, el("i"));
  if (meter) meter.firstChild.style.width = Math.min(100, 100 * share) + "%";
  return el("div", {class: "tile"}, el("span", {text}), el("b", {text: value}), meter, under && el("span", {text: under}));
}
function drawHead() {
  const a = doc.artifact, t = doc.target;
  $("title").textContent = safe(a.path);
  $("facts").textContent = [a.kind, many(a.entries, "file"), t.runtime + "/" + t.architecture, a.foreign ? "not built by lpack" : "built by lpack"].join(" · ");
  $("guesses").replaceChildren(...(a.foreign ? doc.guesses : []).map(g => el("li", {text: "guessed " + g.setting + " " + g.value + ": " + safe(g.because)})));
  const tiles = [tile("unzipped", mib(a.uncompressed_bytes), doc.baseline && signed(a.uncompressed_bytes - doc.baseline.uncompressed_bytes) + " since " + safe(doc.baseline.path))];
  if (a.compressed_bytes) tiles.push(tile("zipped", mib(a.compressed_bytes), doc.baseline && (signed(a.compressed_bytes - doc.baseline.compressed_bytes) || "as before")));
  for (const limit of doc.limits) {
    const share = limit.measured_bytes / limit.limit_bytes;
    tiles.push(tile(limit.title, Math.round(100 * share) + " %", limit.binding ? mib(Math.abs(limit.headroom_bytes)) + (limit.passed ? " left of " : " over ") + mib(limit.limit_bytes) : "does not bind", share, limit.passed ? (share > .9 ? "near" : "") : "over"));
  }
  if (doc.could_save.uncompressed_bytes) tiles.push(tile("could leave", mib(doc.could_save.uncompressed_bytes), many(doc.could_save.files, "file") + (doc.could_save.compressed_bytes ? ", " + mib(doc.could_save.compressed_bytes) + " zipped" : "")));
  $("tiles").replaceChildren(...tiles);
  $("foot").textContent = "lpack " + doc.lpack + " · this page is self-contained and loads nothing";
}
function drawFindings() {
  const list = $("findings").querySelector("ul"), s = doc.could_save;
  $("save").textContent = doc.findings.length ? (s.uncompressed_bytes ? many(s.files, "file") + " could leave: " + mib(s.uncompressed_bytes) + " unzipped" + (s.compressed_bytes ? ", " + mib(s.compressed_bytes) + " zipped" : "") + "." : "") : "Nothing was found.";
  list.replaceChildren(...doc.findings.map(each => {
    const saves = each.saves_uncompressed_bytes ? " · " + (each.count ? many(each.count, "file") + ", " : "") + "−" + mib(each.saves_uncompressed_bytes) + (each.saves_compressed_bytes ? " (−" + mib(each.saves_compressed_bytes) + " zipped)" : "") : "";
    const copy = el("button", {type: "button", text: "copy", "aria-label": "Copy the fix of " + each.code, onclick: async () => {
      try { await navigator.clipboard.writeText(each.hint); copy.textContent = "copied"; } catch { getSelection().selectAllChildren(copy.previousSibling); copy.textContent = "selected"; }
    }});
    return el("li", {class: each.level}, el("div", {class: "head"}, el("b", {class: "lv", text: each.level}), el("b", {text: each.code}), safe(each.message), el("span", {class: "saves", text: saves})),
      each.hint && (PASTED.test(each.hint) ? el("div", {class: "hint"}, el("code", {text: safe(each.hint)}), copy) : el("div", {class: "saves", text: safe(each.hint)})),
      each.details.length ? el("details", {}, el("summary", {text: many(each.details.length, "detail")}), ...each.details.map(text => el("div", {text: safe(text)}))) : null);
  }));
}
function drawStartup() {
  const times = doc.import_times;
  $("startup").hidden = !times;
  if (!times) return;
  $("startup").querySelector("p").textContent = times.total_ms.toFixed(0) + " ms in all, measured by " + safe(times.source);
  const most = Math.max(...times.modules.map(row => row[1]), .001);
  $("startup").querySelector("tbody").replaceChildren(...times.modules.map(([name, ms]) => {
    const bar = el("div", {class: "share", hue: hueOf(name)});
    bar.style.width = 100 * ms / most + "%";
    return el("tr", {}, el("th", {scope: "row", class: "mono", text: safe(name)}), el("td", {class: "n", text: ms.toFixed(1)}), el("td", {style: null}, bar));
  }));
}
function drawSubtracted() {
  const gone = doc.subtraction.filter(each => each.outcome === "subtracted");
  $("subtracted").hidden = !gone.length;
  $("subtracted").querySelector("ul").replaceChildren(...gone.map(each => el("li", {text: safe(each.reason)})));
}
function redraw() {
  tree = build();
  $("hits").textContent = query ? many(tree.files, "file") + ", " + mib(tree.size) : "";
  $("legend").hidden = mode !== "change";
  drawMap(); drawTable();
}
function show(index) {
  doc = DOCS[index];
  owners = [...doc.distributions.filter(each => !each.subtracted && each.files.length), {...doc.code, name: "", version: ""}];
  before = new Map(doc.baseline ? [...doc.baseline.distributions.map(each => [each.name, each]), ["\0", {...doc.baseline.code, name: "", version: ""}]] : []);
  $("modes").hidden = !doc.baseline;
  const zipped = document.querySelector('[name=size][value="2"]');
  zipped.closest("fieldset").hidden = !doc.artifact.compressed_bytes;
  if (!doc.artifact.compressed_bytes) column = 1;
  mode = doc.baseline && document.querySelector("[name=mode]:checked").value === "change" ? "change" : "size";
  path = []; opened = new Set(); sort = ["size", -1];
  drawHead(); drawFindings(); drawStartup(); drawSubtracted(); redraw();
}
for (const input of document.querySelectorAll("[name=size]")) input.addEventListener("change", () => { column = +input.value; redraw(); });
for (const input of document.querySelectorAll("[name=mode]")) input.addEventListener("change", () => { mode = input.value; redraw(); });
let waiting;
$("filter").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => { query = $("filter").value.trim(); redraw(); }, 80); });
document.addEventListener("keydown", event => { if (event.key === "/" && !/^(INPUT|SELECT)$/.test(event.target.tagName)) { event.preventDefault(); $("filter").focus(); } });
addEventListener("resize", () => { clearTimeout(current); current = setTimeout(drawMap, 100); });
if (DOCS.length > 1) {
  $("pick-label").hidden = false;
  $("pick").append(...DOCS.map((each, i) => el("option", {value: i, text: safe(each.artifact.path)})));
  $("pick").addEventListener("change", () => show(+$("pick").value));
}
show(0);
document.documentElement.dataset.ready = "1";
})();
