"use strict";
// One stage of a map: the dots, where they are looked at from, the names on them. What is singled
// out and how the dots are coloured is told to it (map.js), so that two stages can show the same.
const embeddingMapColor = (() => {
  const darkness = matchMedia("(prefers-color-scheme: dark)");
  return { darkness, of: (group) => group.colors[darkness.matches ? 1 : 0] };
})();
const embeddingMapBytes = (base64) => {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = characters.charCodeAt(i);
  return bytes;
};
const embeddingMapNumbers = (base64) => new Uint16Array(embeddingMapBytes(base64).buffer);

async function embeddingMapPane(stage, at, shared) {
  const SIZE = 65535;
  const { data, state, tell } = shared;
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const hasWebGL = () => {
    try { return Boolean(document.createElement("canvas").getContext("webgl")); } catch { return false; }
  };
  const find = (selector) => stage.querySelector(selector);
  const plot = find(".emap-plot"), tip = find(".emap-tip"), twin = find(".emap-twin"), names = find(".emap-labels");
  const css = (name) => getComputedStyle(stage).getPropertyValue(name).trim();
  const xy = embeddingMapNumbers(data.panes[at].xy);
  const n = xy.length / 2;

  // --- points: noise first, the others mixed, so that no group covers another for no reason
  let stride = Math.max(1, Math.floor(n * 0.618));
  const gcd = (a, b) => (b ? gcd(b, a % b) : a);
  while (gcd(stride, n) !== 1) stride += 1;
  let layers;
  function sort() {
    layers = [[], []];
    for (let i = 0, j = 0; i < n; i += 1, j = (j + stride) % n) {
      layers[state.groups[state.codes[j]].noise ? 0 : 1].push(j);
    }
  }
  sort();
  const type = data.webgl && hasWebGL() ? "scattergl" : "scatter";
  const room = Math.sqrt(stage.clientWidth * stage.clientHeight) / 760;
  const size = clamp(26 * n ** -0.2, 2.4, 10) * clamp(room, 0.62, 1.15);
  const opacity = clamp(1.35 - 0.17 * Math.log10(n), 0.35, 0.92);
  const places = (rows, axis) => Float64Array.from(rows, (i) => xy[2 * i + axis]);
  const colorsOf = (rows) => rows.map((i) => embeddingMapColor.of(state.groups[state.codes[i]]));
  const traces = layers.map((rows, layer) => ({
    type, mode: "markers", hoverinfo: "none", showlegend: false,
    x: places(rows, 0), y: places(rows, 1),
    marker: {
      color: colorsOf(rows),
      size: layer ? size : size * 0.8, opacity: layer ? opacity : opacity * 0.55,
      line: { width: n > 2000 ? 0 : 0.6, color: css("--surface") },
    },
    selected: { marker: { opacity: 0.95, size: size * 1.15 } },
    unselected: { marker: { opacity: n > 5000 ? 0.04 : 0.1 } },
  }));
  traces.push({
    type, mode: "markers", hoverinfo: "skip", showlegend: false, x: [], y: [],
    marker: { size: size + 8, color: "rgba(0,0,0,0)", line: { width: 2.5, color: css("--ink") } },
  });

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
  let drawing = Promise.resolve();
  const draw = (task) => { drawing = drawing.then(task, task); return drawing; };
  const show = () => draw(() => {
    const { x, y } = ranges();
    return Plotly.relayout(plot, { "xaxis.range": x, "yaxis.range": y, ...shape() }).then(() => placeNames());
  });
  const zoom = (factor) => { view.unit = clamp(view.unit / factor, 0.05, SIZE / 20); show(); };

  whole();
  const axis = (range) => ({ type: "linear", range, visible: false, fixedrange: false, zeroline: false });
  const first = ranges();
  await Plotly.newPlot(plot, traces, {
    ...shape(), margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    xaxis: axis(first.x), yaxis: axis(first.y), dragmode: "pan", hovermode: "closest", hoverdistance: 12,
    newselection: { line: { color: css("--accent"), width: 1.5, dash: "solid" } },
  }, { displayModeBar: false, displaylogo: false, scrollZoom: true, doubleClick: false, showTips: false, responsive: false });
  const rowOf = (point) => layers[point.curveNumber]?.[point.pointNumber];

  // --- names, the largest group's first; one that would cover another waits for more room
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
  function placeNames(live) {
    const { width, height } = shape();
    const { x, y } = live ?? ranges();
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
      let left = px - label.w / 2, top = py - label.h / 2;
      const inside = px > 0 && px < width && py > 0 && py < height;
      left = clamp(left, 2, Math.max(2, width - label.w - 2));
      let place = null;
      if (wanted && inside) {
        for (const shift of [0, -0.6, 0.6, -1.1, 1.1]) {
          const tried = clamp(top + shift * label.h, 2, Math.max(2, height - label.h - 2));
          const rect = [left, tried, left + label.w, tried + label.h];
          if (taken.every((t) => rect[2] <= t[0] || rect[0] >= t[2] || rect[3] <= t[1] || rect[1] >= t[3])) { place = rect; break; }
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
  plot.on("plotly_hover", (event) => {
    const i = rowOf(event.points[0]);
    if (i === undefined) return;
    tip.replaceChildren(make("b", "", state.groups.length > 1 ? state.groups[state.codes[i]].name : ""));
    tip.firstChild.dir = "auto";
    if (state.texts) {
      const text = make("p", "", state.texts[i].length > 500 ? `${state.texts[i].slice(0, 500)}…` : state.texts[i]);
      text.dir = "auto";
      tip.append(text);
    }
    tip.hidden = false;
    const box = stage.getBoundingClientRect();
    const x = event.event.clientX - box.left, y = event.event.clientY - box.top;
    const left = x + 14 + tip.offsetWidth > box.width ? x - 14 - tip.offsetWidth : x + 14;
    const top = y + 14 + tip.offsetHeight > box.height ? y - 14 - tip.offsetHeight : y + 14;
    tip.style.transform = `translate(${clamp(left, 4, Math.max(4, box.width - tip.offsetWidth - 4))}px, ${Math.max(4, top)}px)`;
    tell.point(at, i);
  });
  const leave = () => { tip.hidden = true; tell.point(at, null); };
  plot.on("plotly_unhover", leave);
  plot.on("plotly_click", (event) => tell.read(rowOf(event.points[0])));
  function point(i) {
    const { width, height } = shape();
    const { x, y } = ranges();
    const px = i === null ? -1 : ((xy[2 * i] - x[0]) / (x[1] - x[0])) * width;
    const py = i === null ? -1 : (1 - (xy[2 * i + 1] - y[0]) / (y[1] - y[0])) * height;
    twin.hidden = !(px >= 0 && px <= width && py >= 0 && py <= height);
    if (!twin.hidden) twin.style.transform = `translate(${px.toFixed(1)}px, ${py.toFixed(1)}px)`;
  }

  // --- moving
  const lived = (event) => {
    const pick = (name) => event[`${name}.range`] ?? (event[`${name}.range[0]`] === undefined ? null : [event[`${name}.range[0]`], event[`${name}.range[1]`]]);
    const x = pick("xaxis"), y = pick("yaxis");
    return x && y ? { x, y } : null;
  };
  plot.on("plotly_relayouting", (event) => { leave(); const live = lived(event); if (live) placeNames(live); });
  plot.on("plotly_relayout", (event) => {
    const live = lived(event);
    if (!live || event.width !== undefined) return;
    view.x = (live.x[0] + live.x[1]) / 2;
    view.y = (live.y[0] + live.y[1]) / 2;
    view.unit = (live.x[1] - live.x[0]) / shape().width;
    placeNames();
  });
  stage.addEventListener("wheel", (event) => {
    // Inside a long page the wheel scrolls the page; pinching sends Ctrl.
    if (data.pageZoom && !event.ctrlKey && !event.metaKey) event.stopPropagation();
  }, { capture: true, passive: true });
  plot.on("plotly_selected", (event) => {
    // Taking the drawn line away again is reported as a selection too, of nothing.
    if (!event?.lassoPoints) return;
    const found = new Set(event.points.map(rowOf).filter((i) => i !== undefined));
    draw(() => Plotly.relayout(plot, { selections: [] }));
    tell.lasso(found);
  });
  stage.addEventListener("keydown", (event) => {
    const { width, height } = shape();
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (step) {
      view.x += step[0] * width * 0.15 * view.unit;
      view.y += step[1] * height * 0.15 * view.unit;
      show();
    } else if (event.key === "+" || event.key === "=") zoom(1.6);
    else if (event.key === "-") zoom(1 / 1.6);
    else if (event.key === "0") { whole(); show(); }
    else return;
    event.preventDefault();
  });

  // --- what it is told
  function recolor() {
    sort();
    makeNames();
    draw(() => Plotly.restyle(plot, {
      x: layers.map((rows) => places(rows, 0)), y: layers.map((rows) => places(rows, 1)),
      "marker.color": layers.map(colorsOf), selectedpoints: [null, null],
    }, [0, 1]));
  }
  function theme() {
    draw(() => Plotly.restyle(plot, { "marker.color": layers.map(colorsOf), "marker.line.color": css("--surface") }, [0, 1]));
    draw(() => Plotly.restyle(plot, { "marker.line.color": css("--ink") }, [2]));
  }
  function select() {
    const marked = state.matches && new Set(state.matches);
    const chosen = layers.map((rows) => (marked ? rows.flatMap((i, place) => (marked.has(i) ? [place] : [])) : null));
    draw(() => Plotly.restyle(plot, { selectedpoints: chosen }, [0, 1]));
    placeNames();
  }
  function ring(i) {
    draw(() => Plotly.restyle(plot, i === null ? { x: [[]], y: [[]] } : { x: [[xy[2 * i]]], y: [[xy[2 * i + 1]]] }, [2]));
  }
  const drag = (mode) => draw(() => Plotly.relayout(plot, { dragmode: mode, selections: [] }));
  placeNames();
  if (embeddingMapColor.darkness.matches) theme();
  let width = stage.clientWidth, height = stage.clientHeight;
  new ResizeObserver(() => {
    if (stage.clientWidth === width && stage.clientHeight === height) return;
    view.unit *= width && stage.clientWidth ? width / stage.clientWidth : 1;
    width = stage.clientWidth;
    height = stage.clientHeight;
    for (const label of labels) label.w = label.h = undefined;
    if (width && height) show();
  }).observe(stage);
  return { select, ring, point, recolor, theme, drag, zoom, reset: () => { whole(); show(); } };
}
