// Players: one at a time, each with a playhead on every waveform of its piece. And open menus close.
(() => {
  "use strict";

  const STILL = matchMedia("(prefers-reduced-motion: reduce)");

  const playheads = (player) => [...document.querySelectorAll(`.wave[data-of="${player.id}"]`)].map((wave) => {
    const there = wave.querySelector(":scope > .playhead");
    if (there) return there;
    const made = document.createElementNS(wave.namespaceURI, "rect");
    made.setAttribute("class", "playhead");
    return wave.appendChild(made);
  });

  const place = (player) => {
    if (!player.id || !(player.duration > 0)) return;
    const x = `${((100 * player.currentTime) / player.duration).toFixed(2)}%`;
    for (const head of playheads(player)) head.setAttribute("x", x);
  };

  const follow = (player) => {
    place(player);
    if (!player.paused && !STILL.matches) requestAnimationFrame(() => follow(player));
  };

  const onMedia = (name, act) => document.addEventListener(name, (event) => act(event.target), true);

  onMedia("play", (player) => {
    for (const other of document.querySelectorAll("audio")) if (other !== player) other.pause();
    player.closest(".side")?.classList.add("playing");
    follow(player);
  });
  for (const name of ["pause", "emptied"]) onMedia(name, (player) => player.closest(".side")?.classList.remove("playing"));
  for (const name of ["timeupdate", "seeked"]) onMedia(name, place);

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector(".menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });
})();
