// Draws the points. Marks and colours are those of the legend, drawn once each and then copied.
import { YOURS } from "./points.js";

const SHEET = 10; // marks in a row: the hues 0 to 8, and yours
const FAINT = 0.16;
const YOURS_AT_LEAST = 7; // pixels: to be found among thousands

export class Painter {
  constructor(canvas, points, grid) {
    Object.assign(this, { canvas, points, grid, sheet: document.createElement("canvas"), key: "" });
    this.context = canvas.getContext("2d");
  }

  resize(width, height) {
    this.ratio = Math.max(1, window.devicePixelRatio || 1);
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
  }

  // Colours change with the scheme.
  restyle() {
    const colour = (element, name) => getComputedStyle(element)[name];
    this.marks = new Map();
    for (const item of document.querySelectorAll(".legend-item")) {
      const hue = Number(item.dataset.hue);
      const path = item.querySelector("path");
      this.marks.set(hue, { path: new Path2D(path.getAttribute("d")), fill: colour(path, "fill") });
    }
    this.ground = colour(this.canvas.parentElement, "backgroundColor");
    this.ink = colour(document.body, "color");
    this.key = "";
  }

  // Of a mark, in pixels: small where there are many, larger from closer by.
  radius(zoom) {
    const room = Math.sqrt((this.canvas.width * this.canvas.height) / this.points.total) / this.ratio;
    const base = Math.min(6.5, Math.max(2.6, room * 0.1));
    return Math.round(Math.min(9, base * zoom ** 0.35) * 2) / 2;
  }

  sprites(radius) {
    const key = `${radius} ${this.ratio}`;
    if (key === this.key) return;
    this.key = key;
    const sizes = (hue) => (hue === YOURS ? Math.max(radius * 1.25, YOURS_AT_LEAST) : radius) * this.ratio;
    this.cell = Math.ceil(sizes(YOURS) * 3.4);
    this.sheet.width = this.cell * SHEET;
    this.sheet.height = this.cell;
    const context = this.sheet.getContext("2d");
    for (const [hue, mark] of this.marks) this.sprite(context, hue, mark, sizes(hue));
  }

  sprite(context, hue, mark, size) {
    context.setTransform(size, 0, 0, size, (this.slot(hue) + 0.5) * this.cell, this.cell / 2);
    context.fillStyle = mark.fill;
    context.strokeStyle = this.ground; // what overlaps can be told apart
    context.lineWidth = 0.35;
    context.lineJoin = "round";
    context.stroke(mark.path);
    context.fill(mark.path);
  }

  slot(hue) {
    return hue === YOURS ? SHEET - 1 : hue;
  }

  draw(view, wanted, current) {
    const { context, points } = this;
    this.sprites(this.radius(view.zoom));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const layers = [[], [], [], []]; // faint ones, all others, the largest soundtracks, yours
    const [left, top] = view.toMap(-20, -20);
    const [right, bottom] = view.toMap(view.width + 20, view.height + 20);
    this.grid.within(left, top, right, bottom, (i) => {
      const hue = points.hue[i];
      layers[wanted(i) ? (hue === YOURS ? 3 : hue ? 2 : 1) : 0].push(i);
    });
    layers.forEach((layer, place) => {
      context.globalAlpha = place ? 1 : FAINT;
      for (const i of layer) this.stamp(view, i);
    });
    context.globalAlpha = 1;
    if (current >= 0) this.ring(view, current);
  }

  stamp(view, i) {
    const [px, py] = view.toPixels(this.points.x[i], this.points.y[i]);
    const { cell, ratio } = this;
    const half = cell / 2;
    this.context.drawImage(
      this.sheet, this.slot(this.points.hue[i]) * cell, 0, cell, cell,
      Math.round(px * ratio - half), Math.round(py * ratio - half), cell, cell,
    );
  }

  ring(view, i) {
    this.stamp(view, i);
    const [px, py] = view.toPixels(this.points.x[i], this.points.y[i]);
    const radius = (this.radius(view.zoom) + 5) * this.ratio;
    this.context.beginPath();
    this.context.arc(px * this.ratio, py * this.ratio, radius, 0, 2 * Math.PI);
    this.context.lineWidth = 2 * this.ratio;
    this.context.strokeStyle = this.ink;
    this.context.stroke();
  }
}
