"use strict";
(() => {
  const SIZE = 65535;
  const numbers = (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    return new Uint16Array(bytes.buffer);
  };
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const darkness = matchMedia("(prefers-color-scheme: dark)");
  const swatch = (group, code) => {
    const ns = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(ns, "svg");
    const dot = document.createElementNS(ns, "circle");
    for (const [key, value] of [["class", "emap-swatch"], ["data-group", code], ["width", 12], ["height", 12], ["aria-hidden", "true"]]) svg.setAttribute(key, value);
    for (const [key, value] of [["cx", 6], ["cy", 6], ["r", 5], ["fill", colorOf(group)]]) dot.setAttribute(key, value);
    svg.append(dot);
    return svg;
  };
  const colorOf = (group) => group.colors[darkness.matches ? 1 : 0];
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const fold = (text) => text.normalize("NFKC").toLocaleLowerCase();
  const count = new Intl.NumberFormat("en");
  const hasWebGL = () => {
    try { return Boolean(document.createElement("canvas").getContext("webgl")); } catch { return false; }
  };
  async function unpack(texts) {
    if (texts === null || Array.isArray(texts)) return texts;
    const bytes = Uint8Array.from(atob(texts.gzip), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  async function start(root) {
    const data = pageData(`map:${root.dataset.embeddingMap}`);
    const find = (selector) => root.querySelector(selector);
    const stage = find(".emap-stage"), plot = find(".emap-plot"), tip = find(".emap-tip");
    const reader = find(".emap-reader"), list = find(".emap-list"), search = find(".emap-search input");
    const xy = numbers(data.xy), codes = numbers(data.codes), groups = data.groups;
    const n = codes.length;
    const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
    const textsReady = unpack(data.texts);
    let texts = Array.isArray(data.texts) ? data.texts : null;

    // --- points: noise first, the others mixed, so that no group covers another for no reason
    let stride = Math.max(1, Math.floor(n * 0.618));
    const gcd = (a, b) => (b ? gcd(b, a % b) : a);
    while (gcd(stride, n) !== 1) stride += 1;
    const layers = [[], []];
    for (let i = 0, j = 0; i < n; i += 1, j = (j + stride) % n) {
      layers[groups[codes[j]].noise ? 0 : 1].push(j);
    }
    const type = data.webgl && hasWebGL() ? "scattergl" : "scatter";
    const room = Math.sqrt(stage.clientWidth * stage.clientHeight) / 760;
    const size = clamp(26 * n ** -0.2, 2.4, 10) * clamp(room, 0.62, 1.15);
    const opacity = clamp(1.35 - 0.17 * Math.log10(n), 0.35, 0.92);
    const colorsOf = (rows) => rows.map((i) => colorOf(groups[codes[i]]));
    const traces = layers.map((rows, layer) => ({
      type, mode: "markers", hoverinfo: "none", showlegend: false,
      x: rows.map((i) => xy[2 * i]), y: rows.map((i) => xy[2 * i + 1]),
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
    const axis = (range) => ({ range, visible: false, fixedrange: false, zeroline: false });
    const first = ranges();
    await Plotly.newPlot(plot, traces, {
      ...shape(), margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      xaxis: axis(first.x), yaxis: axis(first.y), dragmode: "pan", hovermode: "closest", hoverdistance: 12,
      newselection: { line: { color: css("--accent"), width: 1.5, dash: "solid" } },
    }, { displayModeBar: false, displaylogo: false, scrollZoom: true, doubleClick: false, showTips: false, responsive: false });
    const rowOf = (point) => layers[point.curveNumber]?.[point.pointNumber];

    // --- names, the largest group's first; one that would cover another waits for more room
    const names = find(".emap-labels");
    const labels = groups.map((group, code) => ({ group, code })).filter((item) => !item.group.noise)
      .sort((a, b) => b.group.count - a.group.count)
      .map((item) => {
        const element = make("span", "", item.group.name);
        element.dir = "auto";
        names.append(element);
        return { ...item, element };
      });
    if (labels.length < 2) names.hidden = true;
    function placeNames(live) {
      const { width, height } = shape();
      const { x, y } = live ?? ranges();
      const taken = [];
      for (const label of labels) {
        const box = label.element;
        const px = ((label.group.spot[0] - x[0]) / (x[1] - x[0])) * width;
        const py = (1 - (label.group.spot[1] - y[0]) / (y[1] - y[0])) * height;
        label.w ??= box.offsetWidth;
        label.h ??= box.offsetHeight;
        const wanted = !alive || alive.has(label.code);
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

    // --- what is singled out: search, groups, lasso
    const only = new Set();
    let lasso = null, folded = null, words = [], matches = null, alive = null;
    const output = find(".emap-count");
    function filter() {
      if (!words.length && !only.size && !lasso) return null;
      if (words.length && texts && !folded) folded = texts.map(fold);
      const found = [];
      for (let i = 0; i < n; i += 1) {
        if (only.size && !only.has(codes[i])) continue;
        if (lasso && !lasso.has(i)) continue;
        if (words.length && folded && !words.every((word) => folded[i].includes(word))) continue;
        found.push(i);
      }
      return found;
    }
    function update() {
      matches = filter();
      alive = matches && new Set(matches.map((i) => codes[i]));
      const marked = matches && new Set(matches);
      const chosen = layers.map((rows) => (marked ? rows.flatMap((i, at) => (marked.has(i) ? [at] : [])) : null));
      draw(() => Plotly.restyle(plot, { selectedpoints: chosen }, [0, 1]));
      output.textContent = matches ? `${count.format(matches.length)} of ${count.format(n)} texts` : `${count.format(n)} texts`;
      legend.forEach((button, code) => button.setAttribute("aria-pressed", String(only.has(code))));
      placeNames();
      fillList(true);
    }

    // --- reading
    function nameOf(group) {
      const name = make("bdi", "", group.name);
      if (!group.link) return name;
      const link = make("a");
      link.href = group.link;
      link.append(name);
      return link;
    }
    function read(i) {
      if (i === undefined) return;
      draw(() => Plotly.restyle(plot, { x: [[xy[2 * i]]], y: [[xy[2 * i + 1]]] }, [2]));
      if (!reader || !texts) return;
      const where = make("div", "emap-where");
      where.append(swatch(groups[codes[i]], codes[i]), nameOf(groups[codes[i]]));
      const text = make("p", "", texts[i]);
      text.dir = "auto";
      const parts = [where, text];
      const columns = Object.entries(data.columns);
      if (columns.length) {
        const facts = make("dl");
        for (const [name, values] of columns) facts.append(make("dt", "", name), make("dd", "", values[i] === null ? "–" : String(values[i])));
        parts.push(facts);
      }
      reader.replaceChildren(...parts);
      reader.scrollTop = 0;
    }
    plot.on("plotly_hover", (event) => {
      const i = rowOf(event.points[0]);
      if (i === undefined) return;
      tip.replaceChildren(make("b", "", groups.length > 1 ? groups[codes[i]].name : ""));
      tip.firstChild.dir = "auto";
      if (texts) {
        const text = make("p", "", texts[i].length > 500 ? `${texts[i].slice(0, 500)}…` : texts[i]);
        text.dir = "auto";
        tip.append(text);
      }
      tip.hidden = false;
      const box = stage.getBoundingClientRect();
      const x = event.event.clientX - box.left, y = event.event.clientY - box.top;
      const left = x + 14 + tip.offsetWidth > box.width ? x - 14 - tip.offsetWidth : x + 14;
      const top = y + 14 + tip.offsetHeight > box.height ? y - 14 - tip.offsetHeight : y + 14;
      tip.style.transform = `translate(${clamp(left, 4, Math.max(4, box.width - tip.offsetWidth - 4))}px, ${Math.max(4, top)}px)`;
    });
    plot.on("plotly_unhover", () => { tip.hidden = true; });
    plot.on("plotly_click", (event) => read(rowOf(event.points[0])));

    // --- moving
    const lived = (event) => {
      const pick = (name) => event[`${name}.range`] ?? (event[`${name}.range[0]`] === undefined ? null : [event[`${name}.range[0]`], event[`${name}.range[1]`]]);
      const x = pick("xaxis"), y = pick("yaxis");
      return x && y ? { x, y } : null;
    };
    plot.on("plotly_relayouting", (event) => { tip.hidden = true; const live = lived(event); if (live) placeNames(live); });
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
    const lassoButton = find('[data-do="lasso"]');
    const actions = {
      in: () => zoom(1.6),
      out: () => zoom(1 / 1.6),
      lasso: () => {
        const on = lassoButton.getAttribute("aria-pressed") !== "true";
        lassoButton.setAttribute("aria-pressed", String(on));
        if (!on && lasso) { lasso = null; update(); }
        draw(() => Plotly.relayout(plot, { dragmode: on ? "lasso" : "pan", selections: [] }));
      },
      reset: () => {
        only.clear();
        lasso = null;
        words = [];
        if (search) search.value = "";
        if (lassoButton.getAttribute("aria-pressed") === "true") actions.lasso();
        draw(() => Plotly.restyle(plot, { x: [[]], y: [[]] }, [2]));
        whole();
        update();
        show();
      },
    };
    for (const button of root.querySelectorAll("[data-do]")) button.addEventListener("click", actions[button.dataset.do]);
    plot.on("plotly_selected", (event) => {
      // Taking the drawn line away again is reported as a selection too, of nothing.
      if (!event?.lassoPoints) return;
      lasso = new Set(event.points.map(rowOf).filter((i) => i !== undefined));
      draw(() => Plotly.relayout(plot, { selections: [] }));
      update();
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

    // --- legend
    const legendList = find(".emap-legend");
    const legend = groups.map((group, code) => {
      const button = make("button");
      button.type = "button";
      button.append(swatch(group, code), make("bdi", "", group.name), make("small", "", count.format(group.count)));
      button.addEventListener("click", (event) => {
        const add = event.ctrlKey || event.metaKey || event.shiftKey;
        const was = only.has(code);
        if (!add) only.clear();
        if (was) only.delete(code); else only.add(code);
        update();
      });
      const item = make("li");
      item.append(button);
      legendList.append(item);
      return button;
    });
    if (groups.length < 2) legendList.hidden = true;

    for (const link of document.querySelectorAll("[data-map-group]")) {
      const code = groups.findIndex((group) => group.link && group.link === link.dataset.mapGroup);
      if (code < 0) continue;
      link.addEventListener("click", () => {
        only.clear();
        only.add(code);
        update();
      });
    }

    // --- list of the texts
    let shown = 0;
    function fillList(anew) {
      if (!list || !list.open || !texts) return;
      const items = list.querySelector("ol"), more = list.querySelector(".emap-more");
      if (anew) { items.replaceChildren(); shown = 0; }
      const total = matches ? matches.length : n;
      const end = Math.min(shown + 50, total);
      for (; shown < end; shown += 1) {
        const i = matches ? matches[shown] : shown;
        const button = make("button");
        button.type = "button";
        const text = make("span", "", texts[i].length > 400 ? `${texts[i].slice(0, 400)}…` : texts[i]);
        text.dir = "auto";
        button.append(swatch(groups[codes[i]], codes[i]), text);
        button.setAttribute("aria-label", `${groups[codes[i]].name}: ${text.textContent}`);
        button.addEventListener("click", () => read(i));
        const item = make("li");
        item.append(button);
        items.append(item);
      }
      more.hidden = shown >= total;
      list.querySelector(".emap-list-note").textContent =
        `${matches ? "What is singled out on the map" : "All texts"}: ${count.format(shown)} of ${count.format(total)} shown.`;
    }
    if (list) {
      list.addEventListener("toggle", () => fillList(true));
      list.querySelector(".emap-more").addEventListener("click", () => fillList(false));
    }
    if (search) {
      let waiting;
      search.addEventListener("input", () => {
        clearTimeout(waiting);
        waiting = setTimeout(() => { words = fold(search.value).split(/\s+/).filter(Boolean); update(); }, 120);
      });
    }

    // --- surroundings
    const theme = () => {
      draw(() => Plotly.restyle(plot, { "marker.color": layers.map(colorsOf), "marker.line.color": css("--surface") }, [0, 1]));
      draw(() => Plotly.restyle(plot, { "marker.line.color": css("--ink") }, [2]));
      for (const dot of root.querySelectorAll("[data-group] circle")) {
        dot.setAttribute("fill", colorOf(groups[Number(dot.parentNode.dataset.group)]));
      }
    };
    darkness.addEventListener("change", theme);
    if (darkness.matches) theme();
    let width = stage.clientWidth, height = stage.clientHeight;
    new ResizeObserver(() => {
      if (stage.clientWidth === width && stage.clientHeight === height) return;
      view.unit *= width && stage.clientWidth ? width / stage.clientWidth : 1;
      width = stage.clientWidth;
      height = stage.clientHeight;
      for (const label of labels) label.w = label.h = undefined;
      if (width && height) show();
    }).observe(stage);
    texts = await textsReady;
    update();
    root.dataset.ready = "true";
  }

  for (const root of document.querySelectorAll("[data-embedding-map]")) start(root);
})();
