"use strict";
(() => {
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const swatch = (group, code) => {
    const ns = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(ns, "svg");
    const dot = document.createElementNS(ns, "circle");
    for (const [key, value] of [["class", "emap-swatch"], ["data-group", code], ["width", 12], ["height", 12], ["aria-hidden", "true"]]) svg.setAttribute(key, value);
    for (const [key, value] of [["cx", 6], ["cy", 6], ["r", 5], ["fill", embeddingMapColor.of(group)]]) dot.setAttribute(key, value);
    svg.append(dot);
    return svg;
  };
  const fold = (text) => text.normalize("NFKC").toLocaleLowerCase();
  const count = new Intl.NumberFormat("en");
  async function unpack(texts) {
    if (texts === null || Array.isArray(texts)) return texts;
    const stream = new Blob([embeddingMapBytes(texts.gzip)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  async function start(root) {
    const data = pageData(`map:${root.dataset.embeddingMap}`);
    const find = (selector) => root.querySelector(selector);
    const reader = find(".emap-reader"), list = find(".emap-list"), search = find(".emap-search input");
    const chooser = find(".emap-color select"), output = find(".emap-count");
    const textsReady = unpack(data.texts);
    // What the stages show: the colouring, what is singled out, and the groups in it.
    const state = { texts: Array.isArray(data.texts) ? data.texts : null, matches: null, alive: null };
    const colorings = data.colorings.map((coloring) => ({ ...coloring, codes: embeddingMapNumbers(coloring.codes) }));
    function colorBy(coloring) {
      state.coloring = coloring;
      state.codes = coloring.codes;
      state.groups = coloring.groups;
    }
    colorBy(colorings[0]);
    const n = state.codes.length;
    const panes = [];
    const tell = {
      read,
      lasso: (rows) => { lasso = rows; update(); },
      point: (from, i) => panes.forEach((pane, at) => { if (at !== from) pane.point(i); }),
    };

    // --- what is singled out: search, groups, lasso
    const only = new Set();
    let lasso = null, folded = null, words = [];
    function filter() {
      if (!words.length && !only.size && !lasso) return null;
      if (words.length && state.texts && !folded) folded = state.texts.map(fold);
      const found = [];
      for (let i = 0; i < n; i += 1) {
        if (only.size && !only.has(state.codes[i])) continue;
        if (lasso && !lasso.has(i)) continue;
        if (words.length && folded && !words.every((word) => folded[i].includes(word))) continue;
        found.push(i);
      }
      return found;
    }
    function update() {
      state.matches = filter();
      state.alive = state.matches && new Set(state.matches.map((i) => state.codes[i]));
      for (const pane of panes) pane.select();
      tellWhat();
    }
    function tellWhat() {
      const { matches } = state;
      output.textContent = matches ? `${count.format(matches.length)} of ${count.format(n)} texts` : `${count.format(n)} texts`;
      legend.forEach((button, code) => button.setAttribute("aria-pressed", String(only.has(code))));
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
      for (const pane of panes) pane.ring(i);
      if (!reader || !state.texts) return;
      const where = make("div", "emap-where");
      const code = state.codes[i], group = state.groups[code];
      where.append(swatch(group, code), nameOf(group));
      const text = make("p", "", embeddingMapShown(state.texts[i]));
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

    // --- legend
    const legendList = find(".emap-legend");
    let legend = [];
    function fillLegend() {
      legend = state.groups.map((group, code) => {
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
        return button;
      });
      legendList.replaceChildren(...legend.map((button) => {
        const item = make("li");
        item.append(button);
        return item;
      }));
      legendList.hidden = state.groups.length < 2;
      legendList.scrollTop = 0;
    }
    fillLegend();
    // Where scroll bars hide, nothing else would say that there are more groups.
    const moreGroups = find(".emap-more-groups");
    function tellMore() {
      const { scrollTop, scrollHeight, clientHeight } = legendList;
      const below = scrollHeight - clientHeight - scrollTop > 4, above = scrollTop > 4;
      legendList.dataset.more = [above && "above", below && "below"].filter(Boolean).join(" ");
      const end = legendList.getBoundingClientRect().bottom;
      const hidden = below ? legend.filter((button) => button.getBoundingClientRect().bottom > end + 4).length : 0;
      moreGroups.hidden = !(above || below);
      moreGroups.textContent = hidden ? `${count.format(hidden)} more ${hidden === 1 ? "group" : "groups"} below: scroll the list` : "The end of the list";
    }
    legendList.addEventListener("scroll", tellMore, { passive: true });
    new ResizeObserver(tellMore).observe(legendList);
    function recolor(coloring) {
      colorBy(coloring);
      // The groups of another colouring are others.
      only.clear();
      fillLegend();
      tellMore();
      for (const pane of panes) pane.recolor();
      update();
    }
    chooser?.addEventListener("change", () => recolor(colorings[Number(chooser.value)]));

    for (const link of document.querySelectorAll("[data-map-group]")) {
      const leads = (group) => group.link && group.link === link.dataset.mapGroup;
      const coloring = colorings.find((one) => one.groups.some(leads));
      if (!coloring) continue;
      link.addEventListener("click", () => {
        if (coloring !== state.coloring) {
          chooser.value = String(colorings.indexOf(coloring));
          recolor(coloring);
        }
        only.clear();
        only.add(coloring.groups.findIndex(leads));
        update();
      });
    }

    // --- list of the texts
    let shown = 0;
    function fillList(anew) {
      if (!list || !list.open || !state.texts) return;
      const items = list.querySelector("ol"), more = list.querySelector(".emap-more");
      if (anew) { items.replaceChildren(); shown = 0; }
      const { matches, texts } = state;
      const total = matches ? matches.length : n;
      const end = Math.min(shown + 50, total);
      for (; shown < end; shown += 1) {
        const i = matches ? matches[shown] : shown;
        const code = state.codes[i], group = state.groups[code];
        const button = make("button");
        button.type = "button";
        const text = make("span", "", embeddingMapShown(texts[i].length > 400 ? `${texts[i].slice(0, 400)}…` : texts[i]));
        text.dir = "auto";
        button.append(swatch(group, code), text);
        button.setAttribute("aria-label", `${group.name}: ${text.textContent}`);
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

    // --- the stages and their tools
    for (const [at, stage] of root.querySelectorAll(".emap-stage").entries()) {
      panes.push(embeddingMapPane(stage, at, { data, state, tell }));
    }
    const lassoButton = find('[data-do="lasso"]');
    const actions = {
      in: () => panes.forEach((pane) => pane.zoom(1.6)),
      out: () => panes.forEach((pane) => pane.zoom(1 / 1.6)),
      lasso: () => {
        const on = lassoButton.getAttribute("aria-pressed") !== "true";
        lassoButton.setAttribute("aria-pressed", String(on));
        if (!on && lasso) { lasso = null; update(); }
        for (const pane of panes) pane.drag(on ? "lasso" : "pan");
      },
      reset: () => {
        only.clear();
        lasso = null;
        words = [];
        if (search) search.value = "";
        if (lassoButton.getAttribute("aria-pressed") === "true") actions.lasso();
        update();
        for (const pane of panes) {
          pane.ring(null);
          pane.reset();
        }
      },
    };
    for (const button of root.querySelectorAll("[data-do]")) button.addEventListener("click", actions[button.dataset.do]);
    if (search) {
      let waiting;
      search.addEventListener("input", () => {
        clearTimeout(waiting);
        waiting = setTimeout(() => { words = fold(search.value).split(/\s+/).filter(Boolean); update(); }, 120);
      });
    }
    const theme = () => {
      for (const pane of panes) pane.theme();
      for (const dot of root.querySelectorAll("[data-group] circle")) {
        // The table is of the first colouring, whatever the dots show.
        const groups = dot.closest(".emap-table") ? colorings[0].groups : state.groups;
        dot.setAttribute("fill", embeddingMapColor.of(groups[Number(dot.parentNode.dataset.group)]));
      }
    };
    embeddingMapColor.darkness.addEventListener("change", theme);
    // Paper is white, whatever the screen is.
    for (const [moment, on] of [["beforeprint", true], ["afterprint", false]]) {
      window.addEventListener(moment, () => { embeddingMapColor.printing = on; theme(); });
    }
    if (embeddingMapColor.darkness.matches) theme();
    state.texts = await textsReady;
    // Searched or singled out while the texts were unpacked: now with them. Otherwise the dots are
    // as they should be, and drawing them all again would take as long as the first time.
    if (words.length || only.size || lasso) update(); else tellWhat();
    root.dataset.ready = "true";
  }

  for (const root of document.querySelectorAll("[data-embedding-map]")) start(root);
})();
