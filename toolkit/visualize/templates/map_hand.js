"use strict";
// What a hand does on a stage, told in pixels of the stage: pointing, clicking, dragging, zooming,
// drawing a lasso. One finger or the mouse drags the map or draws, two fingers zoom.
function embeddingMapHand(stage, outline, { pageZoom, point, leave, click, move, zoom, lasso }) {
  // A hand is never quite still when it clicks.
  const STILL = 4;
  const fingers = new Map();
  let moved = false, path = null;

  const spotOf = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left - stage.clientLeft, event.clientY - box.top - stage.clientTop];
  };
  function hold() {
    const [a, b = a] = fingers.values();
    return { spot: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], apart: Math.hypot(a[0] - b[0], a[1] - b[1]) };
  }
  function release(event) {
    const held = fingers.delete(event.pointerId);
    const drawn = path;
    path = null;
    outline.setAttribute("d", "");
    return { held, drawn };
  }

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || fingers.size === 2) return;
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, spotOf(event));
    moved = fingers.size > 1;
    path = !moved && stage.dataset.drag === "lasso" ? [spotOf(event)] : null;
    outline.setAttribute("d", "");
  });
  stage.addEventListener("pointermove", (event) => {
    const spot = spotOf(event), from = fingers.get(event.pointerId);
    if (!from) {
      if (event.pointerType !== "touch") point(spot);
      return;
    }
    if (!moved && Math.hypot(spot[0] - from[0], spot[1] - from[1]) < STILL) return;
    moved = true;
    leave();
    if (path) {
      path.push(spot);
      outline.setAttribute("d", `M${path.map((one) => one.map(Math.round).join(" ")).join("L")}Z`);
      return;
    }
    const before = hold();
    fingers.set(event.pointerId, spot);
    const after = hold();
    move(after.spot[0] - before.spot[0], after.spot[1] - before.spot[1]);
    if (before.apart && after.apart) zoom(after.apart / before.apart, after.spot);
  });
  stage.addEventListener("pointerup", (event) => {
    const { held, drawn } = release(event);
    if (!held) return;
    if (!moved) click(spotOf(event));
    else if (drawn) lasso(drawn);
  });
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("pointerleave", leave);
  stage.addEventListener("wheel", (event) => {
    // Inside a long page the wheel scrolls the page; pinching sends Ctrl, and little at a time.
    const pinched = event.ctrlKey || event.metaKey;
    if (pageZoom && !pinched) return;
    event.preventDefault();
    const turned = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1) * (pinched ? 3 : 1);
    zoom(Math.exp(-Math.min(Math.max(turned, -60), 60) / 300), spotOf(event));
  }, { passive: false });

  return {
    drag(mode) {
      stage.dataset.drag = mode;
      // One finger scrolls a long page up and down.
      stage.style.touchAction = pageZoom && mode !== "lasso" ? "pan-y" : "none";
    },
  };
}
