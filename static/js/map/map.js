// The map of the catalogue: loads the points and wires view, legend, card and keys together.
import { Card } from "./card.js";
import { follow } from "./gestures.js";
import { Grid } from "./grid.js";
import { Painter } from "./paint.js";
import { load } from "./points.js";
import { Sound } from "./sound.js";
import { View } from "./view.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const REACH = 18; // pixels around a mark in which it is meant
const by = (id) => document.getElementById(id);
const frame = by("map");
const canvas = by("map-canvas");

class CatalogueMap {
  constructor(points) {
    this.points = points;
    this.current = this.shown = -1; // pointed at; on the card
    this.chosen = new Set();
    this.wanted = (i) => !this.chosen.size || this.chosen.has(points.hue[i]);
    this.grid = new Grid(points);
    this.painter = new Painter(canvas, points, this.grid);
    this.view = new View(points, () => this.redraw());
    this.card = new Card();
    this.sound = new Sound(by("map-audio"), () => this.tell());
  }

  begin() {
    follow(canvas, this.view, this);
    canvas.addEventListener("keydown", (event) => this.key(event));
    frame.addEventListener("click", (event) => this.click(event.target.closest("button")));
    const repaint = () => { this.painter.restyle(); this.redraw(); };
    repaint();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
    new ResizeObserver(() => this.resize()).observe(canvas);
    if (this.points.uploads) {
      by("map-yours").hidden = false;
      by("map-yours").querySelector(".numbers").textContent = this.points.uploads;
    }
    this.choose(this.points.of(new URLSearchParams(location.search).get("track")));
  }

  resize() {
    const { clientWidth, clientHeight } = canvas;
    this.painter.resize(clientWidth, clientHeight);
    this.view.resize(clientWidth, clientHeight);
    this.draw(); // a canvas of a new size is empty
  }

  redraw() {
    this.asked ||= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.asked);
    this.asked = 0;
    const { view, current, points } = this;
    this.painter.draw(view, this.wanted, current);
    if (current >= 0) this.card.place(...view.toPixels(points.x[current], points.y[current]), view);
    canvas.classList.toggle("closer", view.zoom > 1);
    frame.dataset.drawn = "true";
  }

  tell() {
    this.card.sounding(this.shown >= 0 && this.sound.sounds(this.points.about(this.shown).audio));
  }

  choose(i, { said = false } = {}) {
    const point = i < 0 ? null : this.points.about(i);
    this.sound.point(point ? point.audio : "");
    if (i === this.current) return;
    this.current = i;
    this.redraw();
    if (!point) {
      this.card.release();
      return;
    }
    this.shown = i;
    this.card.show(point, { said });
    this.tell();
  }

  under(x, y) {
    return this.grid.nearest(...this.view.toMap(x, y), REACH / Math.max(...this.view.scale), this.wanted);
  }

  hover(x, y) {
    const i = this.under(x, y);
    canvas.classList.toggle("near-a-mark", i >= 0);
    if (i < 0) this.sound.point("");
    else this.choose(i);
  }

  leave() {
    this.sound.point("");
  }

  // A click opens the track; a tap, which could not point at it before, only chooses it.
  press(x, y, { pointerType }) {
    const i = this.under(x, y);
    if (i >= 0 && pointerType === "mouse") this.open(i);
    else this.choose(i);
  }

  open(i) {
    if (i >= 0) location.assign(this.points.about(i).page);
  }

  hear() {
    if (this.shown < 0) return;
    const { audio } = this.points.about(this.shown);
    if (this.sound.sounds(audio)) this.sound.pause();
    else if (audio) this.sound.play(audio);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const does = ARROWS[event.key] ? () => this.step(...ARROWS[event.key]) : this.keys()[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  }

  keys() {
    const zoom = (factor) => this.view.zoomBy(factor, this.points.x[this.current], this.points.y[this.current]);
    const [closer, further] = [() => zoom(1.5), () => zoom(1 / 1.5)];
    const release = () => { this.sound.pause(); this.choose(-1); };
    return { "+": closer, "=": closer, "-": further, 0: () => this.view.whole(),
      Enter: () => this.open(this.current), " ": () => this.hear(), Escape: release };
  }

  step(dx, dy) {
    const { points, grid, view, current } = this;
    const i = current < 0
      ? grid.nearest(view.x, view.y, 2, this.wanted)
      : grid.towards(current, dx, dy, this.wanted);
    if (i < 0) return;
    this.choose(i, { said: true });
    view.show(points.x[i], points.y[i]);
  }

  click(button) {
    if (!button) return;
    if (button.matches(".legend-item")) this.filter(button);
    else if (button.id === "map-hear") this.hear();
    else if (button.id === "map-preview") button.setAttribute("aria-pressed", String(this.sound.toggle()));
    else if (button.dataset.zoom === "0") this.view.whole();
    else this.view.zoomBy(Number(button.dataset.zoom));
  }

  filter(button) {
    const hue = Number(button.dataset.hue);
    if (!this.chosen.delete(hue)) this.chosen.add(hue);
    button.setAttribute("aria-pressed", String(this.chosen.has(hue)));
    if (this.current >= 0 && !this.wanted(this.current)) this.choose(-1);
    this.redraw();
  }
}

const legend = [...document.querySelectorAll(".legend-item")].map((item) => item.dataset);
const hues = new Map(legend.filter((item) => item.soundtrack).map((item) => [item.soundtrack, Number(item.hue)]));
load(frame, hues).then(
  (points) => { by("map-wait").hidden = true; new CatalogueMap(points).begin(); },
  () => { by("map-wait").hidden = true; by("map-error").hidden = false; },
);
