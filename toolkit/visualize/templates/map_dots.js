"use strict";
// Dots, put into the pixels of a canvas. A disc is a small table of how much of each pixel it
// covers, one for each quarter of a pixel it may stand at. So 20,000 take a hundredth of a second
// without a graphics card; the canvas's own circles take four times as long.
const embeddingMapDots = (canvas) => {
  const STEPS = 4;
  const context = canvas.getContext("2d", { alpha: false });
  let image = null;

  function disc(radius, opacity) {
    const side = Math.ceil(2 * radius) + 2;
    const tables = [];
    for (let step = 0; step < STEPS * STEPS; step += 1) {
      const x = radius + 1 + (step % STEPS) / STEPS, y = radius + 1 + Math.floor(step / STEPS) / STEPS;
      const table = new Float32Array(side * side);
      for (let at = 0; at < table.length; at += 1) {
        const away = Math.hypot((at % side) + 0.5 - x, Math.floor(at / side) + 0.5 - y);
        table[at] = opacity * Math.min(Math.max(radius - away + 0.5, 0), 1);
      }
      tables.push(table);
    }
    return { radius, side, tables };
  }

  function stamp({ radius, side, tables }, x, y, red, green, blue) {
    const { data, width, height } = image;
    const left = x - radius - 1, top = y - radius - 1;
    const column = Math.floor(left), row = Math.floor(top);
    const table = tables[Math.floor((left - column) * STEPS) + STEPS * Math.floor((top - row) * STEPS)];
    const first = Math.max(0, -column), last = Math.min(side, width - column);
    for (let down = Math.max(0, -row), end = Math.min(side, height - row); down < end; down += 1) {
      let to = 4 * ((row + down) * width + column + first);
      for (let at = down * side + first, stop = down * side + last; at < stop; at += 1, to += 4) {
        const part = table[at];
        if (part === 0) continue;
        data[to] += (red - data[to]) * part;
        data[to + 1] += (green - data[to + 1]) * part;
        data[to + 2] += (blue - data[to + 2]) * part;
      }
    }
  }

  // Any colour of a style sheet as three numbers.
  function rgb(color) {
    context.fillStyle = "#000";
    context.fillStyle = color;
    return [1, 3, 5].map((at) => parseInt(context.fillStyle.slice(at, at + 2), 16));
  }

  // `layers`, the lowest first: rows, radius and opacity of their dots, width of a rim in the
  // colour of the paper. `placeOf(row)` is [x, y] in pixels of the page, `ratio` of these to those
  // of the screen.
  function draw({ width, height, ratio, paper, layers, colors, codes, xy, x, y, unit }) {
    const across = Math.max(1, Math.round(width * ratio)), down = Math.max(1, Math.round(height * ratio));
    if (image?.width !== across || image?.height !== down) {
      canvas.width = across;
      canvas.height = down;
      image = context.createImageData(across, down);
    }
    const [red, green, blue] = rgb(paper);
    // The bytes of a pixel, in whatever order this machine has those of a number.
    const ground = new Uint32Array(Uint8Array.of(red, green, blue, 255).buffer)[0];
    new Uint32Array(image.data.buffer).fill(ground);
    const inks = colors.map(rgb);
    for (const { rows, radius, opacity, rim } of layers) {
      const dot = disc(radius * ratio, opacity), under = rim ? disc((radius + rim) * ratio, opacity) : null;
      const reach = (radius + (rim ?? 0)) * ratio + 2;
      for (const row of rows) {
        const px = ((xy[2 * row] - x) / unit) * ratio, py = down - ((xy[2 * row + 1] - y) / unit) * ratio;
        if (px < -reach || py < -reach || px > across + reach || py > down + reach) continue;
        if (under) stamp(under, px, py, red, green, blue);
        const ink = inks[codes[row]];
        stamp(dot, px, py, ink[0], ink[1], ink[2]);
      }
    }
    context.putImageData(image, 0, 0);
  }
  return draw;
};
