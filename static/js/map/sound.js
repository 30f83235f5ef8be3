// One player for the whole map. It sounds only after somebody has asked for it.
const BEGIN = 0.3; // of a piece: past its introduction
const DWELL = 150; // milliseconds that a mark is pointed at before it is heard

export class Sound {
  constructor(player, changed) {
    Object.assign(this, { player, preview: false, url: "", pointed: "" });
    for (const event of ["play", "pause", "ended", "emptied"]) player.addEventListener(event, changed);
    player.addEventListener("loadedmetadata", () => {
      if (Number.isFinite(player.duration)) player.currentTime = player.duration * BEGIN;
    });
  }

  sounds(url) {
    return this.url === url && !this.player.paused;
  }

  play(url) {
    clearTimeout(this.waiting);
    if (this.url !== url) this.player.src = url;
    this.url = url;
    this.player.play().catch(() => {}); // left too soon, or no file that this browser can play
  }

  pause() {
    clearTimeout(this.waiting);
    this.player.pause();
  }

  // Whether what is pointed at is heard from now on.
  toggle() {
    this.preview = !this.preview;
    this.pointed = "";
    if (!this.preview) this.pause();
    return this.preview;
  }

  // Pointed at, or at nothing.
  point(url) {
    if (!this.preview || url === this.pointed) return;
    this.pointed = url;
    clearTimeout(this.waiting);
    if (!url) this.player.pause();
    else if (!this.sounds(url)) this.waiting = setTimeout(() => this.play(url), DWELL);
  }
}
