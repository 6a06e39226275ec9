"use strict";
// One stage of a map: the dots, where they are looked at from, the names on them. What is singled
// out and how the dots are coloured is told to it (map.js), so that two stages can show the same.
const embeddingMapColor = {
  darkness: matchMedia("(prefers-color-scheme: dark)"),
  printing: false,
  of: (group) => group.colors[embeddingMapColor.darkness.matches && !embeddingMapColor.printing ? 1 : 0],
};
// What a text looks like: one of joiners, direction marks or fillers alone would look empty.
const embeddingMapShown = (text) => (/[^\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{Variation_Selector}\u034f\u115f\u1160\u2800\u3164\uffa0]/u.test(text) ? text : "(nothing visible)");
const embeddingMapBytes = (base64) => {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = characters.charCodeAt(i);
  return bytes;
};
const embeddingMapNumbers = (base64) => new Uint16Array(embeddingMapBytes(base64).buffer);

function embeddingMapPane(stage, at, shared) {
  const SIZE = 65535, NEAR = 12, PRINTED = 3;
  const { data, state, tell } = shared;
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const find = (selector) => stage.querySelector(selector);
  const plot = find(".emap-plot"), tip = find(".emap-tip"), twin = find(".emap-twin"), names = find(".emap-labels");
  const chosen = find(".emap-chosen");
  const css = (name) => getComputedStyle(stage).getPropertyValue(name).trim();
  const xy = embeddingMapNumbers(data.panes[at].xy);
  const n = xy.length / 2;
  const canvas = make("canvas");
  plot.append(canvas);
  const drawDots = embeddingMapDots(canvas);

  // --- points: noise first, the others mixed, so that no group covers another for no reason
  let stride = Math.max(1, Math.floor(n * 0.618));
  const gcd = (a, b) => (b ? gcd(b, a % b) : a);
  while (gcd(stride, n) !== 1) stride += 1;
  let order;
  function sort() {
    order = [[], []];
    for (let i = 0, j = 0; i < n; i += 1, j = (j + stride) % n) {
      order[state.groups[state.codes[j]].noise ? 0 : 1].push(j);
    }
  }
  sort();
  const room = Math.sqrt(stage.clientWidth * stage.clientHeight) / 760;
  const radius = (clamp(26 * n ** -0.2, 2.4, 10) * clamp(room, 0.62, 1.15)) / 2;
  const opacity = clamp(1.35 - 0.17 * Math.log10(n), 0.35, 0.92);
  const rim = n > 2000 ? 0 : 0.6;
  let layers;
  function arrange() {
    const [noise, others] = order;
    if (!state.matches) {
      layers = [{ rows: noise, radius: radius * 0.8, opacity: opacity * 0.55, rim }, { rows: others, radius, opacity, rim }];
      return;
    }
    const marked = new Uint8Array(n);
    for (const i of state.matches) marked[i] = 1;
    const all = order.flat();
    layers = [
      { rows: all.filter((i) => !marked[i]), radius, opacity: n > 5000 ? 0.04 : 0.1, rim: 0 },
      { rows: all.filter((i) => marked[i]), radius: radius * 1.15, opacity: 0.95, rim },
    ];
  }
  arrange();

  // --- view: centre and units per pixel; both axes alike, since only distances mean something
  const view = { x: SIZE / 2, y: SIZE / 2, unit: 1 };
  const shape = () => ({ width: Math.max(stage.clientWidth, 50), height: Math.max(stage.clientHeight, 50) });
  let high = [0, 0];
  for (let i = 0; i < 2 * n; i += 1) if (xy[i] > high[i % 2]) high[i % 2] = xy[i];
  function whole() {
    const { width, height } = shape();
    view.x = high[0] / 2;
    view.y = high[1] / 2;
    view.unit = Math.max(high[0] / (width * 0.9), high[1] / (height * 0.88), 1e-6);
  }
  function ranges() {
    const { width, height } = shape();
    const w = (width * view.unit) / 2, h = (height * view.unit) / 2;
    return { x: [view.x - w, view.x + w], y: [view.y - h, view.y + h] };
  }
  function placeOf(i) {
    const { width, height } = shape();
    return [(xy[2 * i] - view.x) / view.unit + width / 2, height / 2 - (xy[2 * i + 1] - view.y) / view.unit];
  }
  let ringed = null, pointed = null;
  function draw() {
    const { x, y } = ranges(), { printing } = embeddingMapColor;
    leave();
    drawDots({
      ...shape(), x: x[0], y: y[0], unit: view.unit, ratio: printing ? PRINTED : window.devicePixelRatio,
      xy, layers, codes: state.codes, colors: state.groups.map(embeddingMapColor.of), paper: printing ? "#fff" : css("--surface"),
    });
    placeNames();
    mark(chosen, ringed);
    // For whoever asks what is seen: tests do.
    plot.dataset.range = [...x, ...y].join(" ");
    plot.dataset.bright = state.matches ? layers[1].rows.length : "";
  }
  let waiting = 0;
  const show = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; draw(); }); };
  // What is at `spot`, in pixels of the stage, stays there.
  function zoom(factor, spot) {
    const { width, height } = shape();
    const before = view.unit;
    view.unit = clamp(view.unit / factor, 0.05, SIZE / 20);
    if (spot) {
      view.x += (spot[0] - width / 2) * (before - view.unit);
      view.y -= (spot[1] - height / 2) * (before - view.unit);
    }
    show();
  }
  function move(right, down) {
    view.x -= right * view.unit;
    view.y += down * view.unit;
    show();
  }
  function mark(element, i) {
    const { width, height } = shape();
    const [x, y] = i === null ? [-1, -1] : placeOf(i);
    element.hidden = !(x >= 0 && x <= width && y >= 0 && y <= height);
    if (!element.hidden) element.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
  }
  whole();

  // --- names, the largest group's first; one that would cover another waits for more room
  // How many dots lie in a rectangle, from sums over a grid: asked for every place of every name.
  const CELLS = 512;
  const sums = new Uint32Array((CELLS + 1) ** 2);
  const cell = (value) => clamp(Math.floor((value / (SIZE + 1)) * CELLS), 0, CELLS - 1);
  for (let i = 0; i < n; i += 1) sums[(cell(xy[2 * i + 1]) + 1) * (CELLS + 1) + cell(xy[2 * i]) + 1] += 1;
  for (let row = 1; row <= CELLS; row += 1) {
    for (let column = 1, here = 0; column <= CELLS; column += 1) {
      const at = row * (CELLS + 1) + column;
      here += sums[at];
      sums[at] = here + sums[at - CELLS - 1];
    }
  }
  function dotsIn(x0, x1, y0, y1) {
    const edge = (value) => clamp(Math.round((value / (SIZE + 1)) * CELLS), 0, CELLS);
    const [a, b, c, d] = [edge(x0), edge(x1), edge(y0), edge(y1)];
    const sum = (row, column) => sums[row * (CELLS + 1) + column];
    return sum(d, b) - sum(c, b) - sum(d, a) + sum(c, a);
  }
  let labels = [];
  function makeNames() {
    labels = state.groups.map((group, code) => ({ group, code, spot: state.coloring.spots[at][code] }))
      .filter((item) => !item.group.noise).sort((a, b) => b.group.count - a.group.count)
      .map((item) => {
        const element = make("span", "", item.group.name);
        element.dir = "auto";
        return { ...item, element };
      });
    names.replaceChildren(...labels.map((label) => label.element));
    // Shades of a scale lie everywhere: a name would stand at no place in particular.
    names.hidden = labels.length < 2 || state.coloring.ordered;
  }
  makeNames();
  function placeNames() {
    const { width, height } = shape();
    const { x, y } = ranges();
    const taken = [];
    // All are measured before the first is moved: in turns, each would have the page laid out anew.
    for (const label of labels) {
      label.w ??= label.element.offsetWidth;
      label.h ??= label.element.offsetHeight;
    }
    for (const label of labels) {
      const box = label.element;
      const px = ((label.spot[0] - x[0]) / (x[1] - x[0])) * width;
      const py = (1 - (label.spot[1] - y[0]) / (y[1] - y[0])) * height;
      const wanted = !state.alive || state.alive.has(label.code);
      const inside = px > 0 && px < width && py > 0 && py < height;
      let place = null, least = Infinity;
      if (wanted && inside) {
        // A large group is still seen around its name; a small one would vanish under it.
        const up = label.h / 2, aside = label.w / 2 + 8;
        const shifts = [[0, 0], ...[4, 12, 22, 34].flatMap((away) => [[0, -up - away], [0, up + away]]), [aside, 0], [-aside, 0]];
        for (const [right, down] of shifts) {
          const left = clamp(px - label.w / 2 + right, 2, Math.max(2, width - label.w - 2));
          const top = clamp(py - label.h / 2 + down, 2, Math.max(2, height - label.h - 2));
          const rect = [left, top, left + label.w, top + label.h];
          const unit = (x[1] - x[0]) / width;
          const covered = dotsIn(x[0] + rect[0] * unit, x[0] + rect[2] * unit, y[1] - rect[3] * unit, y[1] - rect[1] * unit);
          const cost = Math.min(1, covered / (0.4 * label.group.count)) + Math.hypot(right / 2, down) / 60;
          if (cost < least && taken.every((t) => rect[2] <= t[0] || rect[0] >= t[2] || rect[3] <= t[1] || rect[1] >= t[3])) { place = rect; least = cost; }
        }
      }
      box.style.visibility = place ? "visible" : "hidden";
      if (place) {
        taken.push(place);
        box.style.transform = `translate(${place[0].toFixed(1)}px, ${place[1].toFixed(1)}px)`;
      }
    }
  }

  // --- pointing: the text here, a ring around the same text on the other stages
  const onMap = ([right, down]) => {
    const { x, y } = ranges();
    return [x[0] + right * view.unit, y[1] - down * view.unit];
  };
  function nearest(spot) {
    const [x, y] = onMap(spot);
    let found = null, least = (NEAR * view.unit) ** 2;
    for (let i = 0; i < n; i += 1) {
      const away = (xy[2 * i] - x) ** 2 + (xy[2 * i + 1] - y) ** 2;
      if (away < least) { found = i; least = away; }
    }
    return found;
  }
  function point(spot) {
    const i = nearest(spot);
    if (i === null) { leave(); return; }
    if (i === pointed) return;
    pointed = i;
    tip.replaceChildren(make("b", "", state.groups.length > 1 ? state.groups[state.codes[i]].name : ""));
    tip.firstChild.dir = "auto";
    if (state.texts) {
      const text = make("p", "", embeddingMapShown(state.texts[i].length > 500 ? `${state.texts[i].slice(0, 500)}…` : state.texts[i]));
      text.dir = "auto";
      tip.append(text);
    }
    tip.hidden = false;
    const [x, y] = placeOf(i), { width, height } = shape();
    const left = x + 14 + tip.offsetWidth > width ? x - 14 - tip.offsetWidth : x + 14;
    const top = y + 14 + tip.offsetHeight > height ? y - 14 - tip.offsetHeight : y + 14;
    tip.style.transform = `translate(${clamp(left, 4, Math.max(4, width - tip.offsetWidth - 4))}px, ${Math.max(4, top)}px)`;
    tell.point(at, i);
  }
  function leave() {
    if (pointed === null) return;
    pointed = null;
    tip.hidden = true;
    tell.point(at, null);
  }
  function click(spot) {
    const i = nearest(spot);
    if (i !== null) tell.read(i);
  }
  function lasso(path) {
    const polygon = path.map(onMap);
    const found = new Set();
    for (let i = 0; i < n; i += 1) if (inside(polygon, xy[2 * i], xy[2 * i + 1])) found.add(i);
    tell.lasso(found);
  }
  function inside(polygon, x, y) {
    let odd = false;
    for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
      const [ax, ay] = polygon[i], [bx, by] = polygon[j];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
    }
    return odd;
  }

  // --- moving
  const hand = embeddingMapHand(stage, find(".emap-lasso path"), {
    pageZoom: data.pageZoom, point, leave, click, move, zoom, lasso,
  });
  stage.addEventListener("keydown", (event) => {
    // With these the same keys zoom and leave the page.
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { width, height } = shape();
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (step) move(-step[0] * width * 0.15, step[1] * height * 0.15);
    else if (event.key === "+" || event.key === "=") zoom(1.6);
    else if (event.key === "-") zoom(1 / 1.6);
    else if (event.key === "0") { whole(); show(); }
    else return;
    event.preventDefault();
  });

  // --- what it is told
  function select() {
    arrange();
    show();
  }
  function recolor() {
    sort();
    makeNames();
    select();
  }
  function ring(i) {
    ringed = i;
    mark(chosen, i);
  }
  hand.drag("pan");
  draw();
  let width = stage.clientWidth, height = stage.clientHeight;
  // Paper has about 680 of a screen's pixels between its margins, whatever the window's width.
  const PAPER = 680;
  function tellPaper() {
    stage.style.setProperty("--drawn-width", `${width}px`);
    stage.style.setProperty("--drawn-height", `${height}px`);
    stage.style.setProperty("--on-paper", String(Math.min(1, (data.panes.length > 1 ? 0.48 : 1) * PAPER / Math.max(width, 1))));
  }
  tellPaper();
  const onScreen = matchMedia("screen");
  new ResizeObserver(() => {
    if (!onScreen.matches) return;
    if (stage.clientWidth === width && stage.clientHeight === height) return;
    // Opened where it could not be seen, it has not been fitted yet.
    if (!width) whole();
    else if (stage.clientWidth) view.unit *= width / stage.clientWidth;
    width = stage.clientWidth;
    height = stage.clientHeight;
    tellPaper();
    for (const label of labels) label.w = label.h = undefined;
    if (width && height) show();
  }).observe(stage);
  return { select, ring, point: (i) => mark(twin, i), recolor, theme: draw, drag: hand.drag, zoom, reset: () => { whole(); show(); } };
}
