// The upload form with a drop zone, early checks and a progress bar. Without this file the form
// is an ordinary one. Whatever goes wrong, the chosen file stays chosen.
(() => {
  "use strict";

  const form = document.getElementById("upload-form");
  const [input, drop, hint, chosen, error, transfer, words, progress, send, cancel] =
    ["audio", "drop", "drop-hint", "chosen", "upload-error", "transfer", "transfer-words", "progress", "send", "cancel"]
      .map((id) => document.getElementById(id));
  const say = form.dataset;
  const ENDINGS = input.accept.split(",").filter((word) => word.startsWith("."));
  const SEND = send.textContent;
  let request = null;
  let waiting = false; // for the network, to send again by itself

  const inWords = (bytes) => {
    const unit = bytes < 1024 * 1024 ? ["KB", 1024] : ["MB", 1024 * 1024];
    return `${(bytes / unit[1]).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 })} ${unit[0]}`;
  };

  const complaint = (file) => {
    const name = file.name.toLowerCase();
    const audio = file.type.startsWith("audio/") || ["video/webm", "video/ogg", "video/mp4", ""].includes(file.type);
    if (file.size === 0) return say.empty;
    if (file.size > Number(say.maxBytes)) return say.tooLarge;
    return audio || ENDINGS.some((ending) => name.endsWith(ending)) ? "" : say.notAudio;
  };

  const show = (message) => {
    error.textContent = message;
    error.hidden = !message;
  };

  const choose = () => {
    const file = input.files[0];
    chosen.textContent = file ? `${file.name} · ${inWords(file.size)}` : "";
    const message = file ? complaint(file) : "";
    waiting = false;
    send.textContent = SEND;
    show(message);
    send.disabled = Boolean(message);
  };

  const busy = (on) => {
    transfer.hidden = !on;
    cancel.hidden = !on;
    send.disabled = on;
    input.disabled = on;
    if (on) {
      waiting = false;
      send.textContent = SEND;
      show("");
    }
  };

  const stopped = (message) => {
    request = null;
    busy(false);
    show(message);
  };

  const lost = () => {
    stopped(navigator.onLine ? say.lost : say.offline);
    waiting = !navigator.onLine;
    send.textContent = say.again;
  };

  const answered = () => {
    const answer = request.response;
    if (request.status === 201 && answer) {
      words.textContent = say.sent;
      window.location.assign(answer.url);
    } else if (answer && answer.message) {
      if (request.status === 429) send.textContent = say.again;
      stopped(answer.message);
    } else {
      stopped(request.responseURL.includes("/accounts/") ? say.signedOut : say.refused);
    }
  };

  const moved = (event) => {
    if (!event.lengthComputable) return;
    const share = Math.floor((100 * event.loaded) / event.total);
    progress.value = share;
    words.textContent = `${say.sending} · ${share} % · ${inWords(event.loaded)} / ${inWords(event.total)}`;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = new FormData(form); // before the input is disabled
    request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.responseType = "json";
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    request.upload.addEventListener("progress", moved);
    request.addEventListener("load", answered);
    request.addEventListener("error", lost);
    request.addEventListener("abort", () => stopped(""));
    progress.value = 0;
    words.textContent = say.sending;
    busy(true);
    request.send(body);
  });

  cancel.addEventListener("click", () => request && request.abort());
  window.addEventListener("online", () => waiting && form.requestSubmit());
  input.addEventListener("change", choose);

  // The native control stays for keyboards and screen readers; its label looks like the button.
  input.classList.add("visually-hidden");
  document.getElementById("choose").className = "button quiet";
  hint.hidden = false;
  for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragenter" || name === "dragover");
    });
  }
  drop.addEventListener("drop", (event) => {
    if (request || !event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    choose();
  });

  // A page that comes back from the browser's memory may have its file still chosen.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) busy(false);
    if (input.files.length) choose();
  });
})();
