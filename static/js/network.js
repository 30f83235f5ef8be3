// A page that follows a job says so when it cannot reach the site, and asks on by itself.
(() => {
  "use strict";

  const place = () => document.getElementById("network");
  const lost = () => { if (!place().textContent) place().textContent = place().dataset.lost; };

  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:responseError", lost);
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.status < 400) place().textContent = "";
  });
})();
