// Which part of the map is seen: a centre, and how many pixels there are to one unit.
const MARGIN = 28; // pixels around the outermost points
const CLOSEST = 60; // times the whole map
const STRETCH = 1.6;
const bounded = (zoom) => Math.min(CLOSEST, Math.max(1, zoom));
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class View {
  constructor({ x, y }, changed) {
    this.changed = changed;
    const bounds = (values) => values.reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [1, 0]);
    [this.left, this.right] = bounds(x);
    [this.top, this.bottom] = bounds(y);
    this.width = this.height = 1;
    this.zoom = 1;
    this.centre();
  }

  centre() {
    this.x = (this.left + this.right) / 2;
    this.y = (this.top + this.bottom) / 2;
  }

  // Pixels to one unit of the whole map, across and down: as directions mean nothing, the map may be
  // stretched a little to fill its frame.
  fit() {
    const across = Math.max(1, (this.width - 2 * MARGIN) / Math.max(this.right - this.left, 0.05));
    const down = Math.max(1, (this.height - 2 * MARGIN) / Math.max(this.bottom - this.top, 0.05));
    return [Math.min(across, down * STRETCH), Math.min(down, across * STRETCH)];
  }

  get scale() {
    return this.fit().map((pixels) => pixels * this.zoom);
  }

  resize(width, height) {
    [this.width, this.height] = [width, height];
    this.changed();
  }

  toPixels(x, y) {
    const [across, down] = this.scale;
    return [(x - this.x) * across + this.width / 2, (y - this.y) * down + this.height / 2];
  }

  toMap(px, py) {
    const [across, down] = this.scale;
    return [(px - this.width / 2) / across + this.x, (py - this.height / 2) / down + this.y];
  }

  pan(px, py) {
    const [across, down] = this.scale;
    this.settle(this.x - px / across, this.y - py / down, this.zoom);
  }

  // Brings that place to the middle, which stays where it is if none is given.
  zoomBy(factor, x = this.x, y = this.y) {
    this.glide(x, y, bounded(this.zoom * factor));
  }

  // What is at that pixel stays there.
  zoomAt(factor, px, py) {
    const [x, y] = this.toMap(px, py);
    const zoom = bounded(this.zoom * factor);
    const kept = this.zoom / zoom;
    this.settle(x + (this.x - x) * kept, y + (this.y - y) * kept, zoom);
  }

  // The middle never leaves the music; the whole map lies in the middle.
  settle(x, y, zoom) {
    this.stop();
    this.put(x, y, zoom);
  }

  put(x, y, zoom) {
    this.zoom = zoom;
    this.x = Math.min(this.right, Math.max(this.left, x));
    this.y = Math.min(this.bottom, Math.max(this.top, y));
    if (zoom <= 1) this.centre();
    this.changed();
  }

  whole() {
    this.glide((this.left + this.right) / 2, (this.top + this.bottom) / 2, 1);
  }

  // Moves no more than it must to have the place well inside.
  show(x, y) {
    const [px, py] = this.toPixels(x, y);
    const over = (pixel, size) => Math.max(pixel - size + 2 * MARGIN, 0) + Math.min(pixel - 2 * MARGIN, 0);
    const [dx, dy] = [over(px, this.width), over(py, this.height)];
    const [across, down] = this.scale;
    if (this.zoom > 1 && (dx || dy)) this.glide(this.x + dx / across, this.y + dy / down, this.zoom);
  }

  stop() {
    cancelAnimationFrame(this.gliding);
  }

  // In a fifth of a second, or at once for whoever wants no motion.
  glide(x, y, zoom) {
    this.stop();
    if (still.matches) return this.put(x, y, zoom);
    const [began, from] = [performance.now(), { x: this.x, y: this.y, zoom: this.zoom }];
    const step = (now) => {
      const part = Math.min(1, Math.max(0, (now - began) / 200));
      const eased = part * (2 - part);
      const between = (one, other) => one + (other - one) * eased;
      this.put(between(from.x, x), between(from.y, y), from.zoom * (zoom / from.zoom) ** eased);
      if (part < 1) this.gliding = requestAnimationFrame(step);
    };
    this.gliding = requestAnimationFrame(step);
  }
}
