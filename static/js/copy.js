// Copies the address of a link, and says so on the button.
(() => {
  "use strict";

  const copy = async (button) => {
    const link = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(link.href);
      button.textContent = button.dataset.copied;
    } catch {
      getSelection().selectAllChildren(link); // not allowed here: at least it is marked
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
})();
