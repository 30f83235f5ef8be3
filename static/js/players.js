// Players: one at a time, and a matching span starts both of its sides at the right second.
(() => {
  "use strict";

  const seek = (player, second) => {
    const go = () => { player.currentTime = second; };
    if (player.readyState > 0) return go();
    player.addEventListener("loadedmetadata", go, { once: true });
    player.preload = "metadata";
    player.load();
  };

  const showSpan = (button) => {
    const yours = document.getElementById("yours");
    const theirs = document.getElementById(button.dataset.player);
    for (const other of document.querySelectorAll(".span[aria-pressed=true]")) other.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", "true");
    seek(yours, Number(button.dataset.query));
    seek(theirs, Number(button.dataset.match));
    theirs.play().catch(() => {}); // a file that this browser cannot play says so in its player
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".span");
    if (button) showSpan(button);
    for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector(".menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  document.addEventListener("play", (event) => {
    for (const player of document.querySelectorAll("audio")) if (player !== event.target) player.pause();
  }, true);
})();
