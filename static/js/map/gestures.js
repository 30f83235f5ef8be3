// Mouse, finger and pen: one drags, two pinch, a short press is a click or a tap.
const SLOP = 6; // pixels that a press may wander

export const follow = (canvas, view, meant) => {
  const down = new Map();
  let wandered = 0;

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const middle = () => {
    const [[ax, ay], [bx, by]] = [...down.values()];
    return { x: (ax + bx) / 2, y: (ay + by) / 2, apart: Math.hypot(ax - bx, ay - by) };
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    if (!down.size) wandered = 0;
    down.set(event.pointerId, at(event));
    canvas.setPointerCapture(event.pointerId);
  });

  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    const before = down.get(event.pointerId);
    if (!before) return event.pointerType === "mouse" ? meant.hover(x, y) : undefined;
    const pinched = down.size === 2 && middle();
    down.set(event.pointerId, [x, y]);
    wandered += Math.hypot(x - before[0], y - before[1]);
    if (wandered < SLOP) return undefined;
    canvas.classList.add("dragging");
    if (!pinched) return view.pan(x - before[0], y - before[1]);
    const now = middle();
    view.pan(now.x - pinched.x, now.y - pinched.y);
    return view.zoomAt(now.apart / Math.max(pinched.apart, 1), now.x, now.y);
  });

  const lift = (event) => {
    const known = down.delete(event.pointerId);
    if (!down.size) canvas.classList.remove("dragging");
    return known && !down.size && wandered < SLOP;
  };
  canvas.addEventListener("pointerup", (event) => {
    if (lift(event)) meant.press(...at(event), event);
  });
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => meant.leave());
  canvas.addEventListener("dblclick", (event) => view.zoomAt(2, ...at(event)));

  // The wheel is the page's until the map was clicked, or with Ctrl, as a pinch on a touchpad is.
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && document.activeElement !== canvas) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    view.zoomAt(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), ...at(event));
  }, { passive: false });
};
