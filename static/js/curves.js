// The curves of a training: drawn once, then fed whenever the page's part comes anew.
(() => {
  const charts = {};
  const groups = {
    Losses: (name) => !["usage", "perplexity", "seconds"].includes(name),
    "Codebook usage": (name) => name === "usage",
    Perplexity: (name) => name === "perplexity",
  };
  const colours = ["#c2410c", "#2563eb", "#059669", "#9333ea"];
  const lines = "rgb(148 163 184 / .25)"; // fit for both schemes
  const ink = () => (document.documentElement.classList.contains("dark") ? "#cbd5e1" : "#475569");

  const chart = (title) => {
    if (charts[title]) return charts[title];
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${title} by epoch`);
    const frame = document.createElement("div");
    frame.style.height = "220px";
    frame.append(canvas);
    document.getElementById("curves").append(frame);
    const axis = { ticks: { color: ink() }, grid: { color: lines } };
    charts[title] = new Chart(canvas, {
      type: "line",
      data: { labels: [], datasets: [] },
      options: {
        animation: false,
        maintainAspectRatio: false,
        plugins: {
          title: { display: true, text: title, color: ink() },
          legend: { labels: { color: ink() } },
        },
        scales: { x: axis, y: axis },
      },
    });
    return charts[title];
  };

  const draw = () => {
    const told = document.getElementById("epochs");
    if (!told || !document.getElementById("curves")) return;
    const epochs = JSON.parse(told.textContent);
    if (!epochs.length) return;
    for (const [title, belongs] of Object.entries(groups)) {
      const names = Object.keys(epochs[0]).filter(belongs);
      const { data } = chart(title);
      data.labels = epochs.map((_, place) => place + 1);
      data.datasets = names.map((name, place) => ({
        label: name,
        data: epochs.map((epoch) => epoch[name]),
        borderColor: colours[place % colours.length],
      }));
      charts[title].update();
    }
  };

  document.addEventListener("htmx:afterSettle", draw);
  document.addEventListener("DOMContentLoaded", draw);
})();
