// A matching span is heard twice: its seconds of yours, then its seconds of theirs. Both players
// are loaded and stand at their second before the first one starts, so that nothing comes between.
(() => {
  "use strict";

  const TICK = 20; // ms; how exactly a span ends
  let turn = null; // the comparison that is heard now

  const say = (word, when = "") => {
    const place = document.getElementById("announcement");
    place.textContent = place.dataset[word].replace("{when}", when);
  };

  const clock = (second) => `${Math.floor(Math.round(second) / 60)}:${String(Math.round(second) % 60).padStart(2, "0")}`;

  // Resolves to whether the player can play from that second at once.
  const standAt = (player, second, mine) => new Promise((tell) => {
    const events = ["loadedmetadata", "seeked", "canplay", "error"];
    let sought = false;
    const look = () => {
      if (turn === mine && player.readyState > 0 && !sought) {
        sought = true;
        player.currentTime = second;
      }
      const ready = sought && !player.seeking && player.readyState > 2;
      if (!ready && !player.error && turn === mine) return;
      for (const name of events) player.removeEventListener(name, look);
      tell(ready);
    };
    for (const name of events) player.addEventListener(name, look);
    player.preload = "auto";
    if (player.error || player.readyState === 0) player.load();
    look();
  });

  // Resolves when the end is reached, or when somebody stopped it.
  const playTo = async (player, end, mine) => {
    await player.play();
    await new Promise((tell) => {
      const look = () => {
        if (turn !== mine || player.paused || player.currentTime >= end) {
          clearInterval(timer);
          tell();
        }
      };
      const timer = setInterval(look, TICK);
    });
    if (turn === mine && player.paused && !player.ended && player.currentTime < end) stop();
    player.pause();
  };

  const finish = (word) => {
    turn.button.setAttribute("aria-pressed", "false");
    turn = null;
    say(word);
  };

  const stop = () => {
    if (!turn) return;
    for (const [player] of turn.parts) player.pause();
    finish("stopped");
  };

  const hear = async (button) => {
    stop();
    const [a, b, c, d] = button.dataset.at.split(",").map(Number);
    const theirs = document.getElementById(button.closest(".compare").dataset.player);
    const parts = [[document.getElementById("yours"), a, b, "yours"], [theirs, c, d, "theirs"]];
    const mine = turn = { button, parts };
    button.setAttribute("aria-pressed", "true");
    for (const player of document.querySelectorAll("audio")) player.pause();
    const ready = await Promise.all(parts.map(([player, start]) => standAt(player, start, mine)));
    let silent = ready.includes(false);
    for (const [place, [player, start, end, word]] of parts.entries()) {
      if (turn !== mine) return;
      if (!ready[place]) continue;
      say(word, `${clock(start)}–${clock(end)}`);
      await playTo(player, end, mine).catch(() => { silent = true; });
    }
    if (turn === mine) finish(silent ? "silent" : "over");
  };

  const buttonOf = (element) =>
    element.closest(".compare")?.querySelector(`.span[data-pair="${element.closest("[data-pair]")?.dataset.pair}"]`);

  // Anywhere else on a waveform the piece plays on from there.
  const playFrom = (wave, event) => {
    const player = document.getElementById(wave.dataset.of);
    const box = wave.getBoundingClientRect();
    const go = () => {
      player.currentTime = (player.duration * (event.clientX - box.left)) / box.width;
      player.play().catch(() => {}); // a file that this browser cannot play says so in its player
    };
    if (player.readyState > 0) return go();
    player.addEventListener("loadedmetadata", go, { once: true });
    player.preload = "auto";
    player.load();
  };

  // Whoever points at a span is about to hear it.
  const warm = (event) => {
    const button = buttonOf(event.target);
    if (!button) return;
    for (const id of ["yours", button.closest(".compare").dataset.player]) document.getElementById(id).preload = "auto";
  };
  document.addEventListener("pointerover", warm);
  document.addEventListener("focusin", warm);

  document.addEventListener("click", (event) => {
    const button = buttonOf(event.target);
    const wave = event.target.closest(".wave");
    if (button) {
      event.preventDefault();
      if (turn?.button === button) stop();
      else hear(button);
    } else if (wave) {
      stop();
      playFrom(wave, event);
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") stop();
  });
})();
