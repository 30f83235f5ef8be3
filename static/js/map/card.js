// What is pointed at, in words: a label beside the mark, and the card below with its button.
const by = (id) => document.getElementById(id);

export class Card {
  constructor() {
    this.label = by("map-label");
  }

  show(point, { said }) {
    this.label.textContent = point.title;
    this.label.hidden = false;
    by("map-title").textContent = point.title;
    by("map-title").href = point.page;
    by("map-about").textContent = point.about;
    by("map-hear").hidden = !point.audio;
    by("map-current").hidden = false;
    by("map-nothing").hidden = true;
    if (said) by("map-said").textContent = [point.title, point.about].filter(Boolean).join(", ");
  }

  // Nothing is pointed at; what was last stays on the card, so that its button can be reached.
  release() {
    this.label.hidden = true;
  }

  // The label above that pixel, or below it, and within the frame; none for a mark that is outside.
  place(x, y, { width, height }) {
    const { label } = this;
    label.hidden = x < 0 || y < 0 || x > width || y > height;
    const left = Math.max(4, Math.min(x - label.offsetWidth / 2, width - label.offsetWidth - 4));
    const above = y - label.offsetHeight - 14;
    label.style.translate = `${Math.round(left)}px ${Math.round(above < 4 ? y + 14 : above)}px`;
  }

  sounding(now) {
    for (const words of document.querySelectorAll("#map-hear [data-when]")) {
      words.hidden = (words.dataset.when === "sounding") !== now;
    }
  }
}
