"use strict";
// What the page does beyond the form and the links: new decisions come by themselves, and times say how long ago they were.
(() => {
  const most = 200; // rows that are kept on the page
  const button = document.getElementById("pause"), connection = document.getElementById("connection");
  const list = document.getElementById("list"), announce = document.getElementById("announce"), gap = document.getElementById("gap");
  let source = null, again = 0, last = button.dataset.after, unsaid = new Map(), refreshAt = 0;

  function ago(seconds) {
    for (const [unit, length] of [["d", 86400], ["h", 3600], ["min", 60]]) if (seconds >= length) return Math.floor(seconds / length) + " " + unit + " ago";
    return Math.max(0, Math.floor(seconds)) + " s ago";
  }
  function age(root) {
    for (const t of root.querySelectorAll("time")) if (t.nextElementSibling) t.nextElementSibling.textContent = ago((Date.now() - Date.parse(t.dateTime)) / 1000);
  }
  function add(html) {
    const fragment = document.createElement("template");
    fragment.innerHTML = html;
    const row = fragment.content.firstElementChild;
    row.classList.add("fresh");
    age(row);
    list.insertBefore(row, list.tBodies[0] || null);
    list.hidden = false;
    document.getElementById("none")?.remove();
    for (const old of [...list.tBodies].slice(most)) if (!old.contains(document.activeElement)) old.remove();
    unsaid.set(row.dataset.action, (unsaid.get(row.dataset.action) || 0) + 1);
    refreshAt ||= Date.now() + 2000;
  }
  // A screen reader hears of new decisions in one sentence, and not more often than every five seconds.
  function say() {
    if (unsaid.size) announce.textContent = "New decisions: " + [...unsaid].map(([action, n]) => n + " " + action).join(", ");
    unsaid = new Map();
  }
  // State and plots are taken from the page as it would be now, unless somebody reads in them.
  async function refresh() {
    refreshAt = 0;
    const parts = ["state", "plots-body", "count"].map((id) => document.getElementById(id));
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) return;
      const now = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts) {
        const fresh = now.getElementById(part.id);
        if (fresh && !part.contains(document.activeElement) && !part.querySelector("details[open]") && part.innerHTML !== fresh.innerHTML) part.replaceChildren(...fresh.childNodes);
      }
    } catch { /* the connection's state says it already */ }
  }
  function open() {
    clearTimeout(again);
    const query = new URLSearchParams(button.dataset.events);
    query.set("after", last);
    source = new EventSource("/events?" + query);
    source.onopen = () => { connection.textContent = "Live"; };
    source.onerror = () => {
      connection.textContent = "Not connected; trying again";
      if (source.readyState === EventSource.CLOSED) again = setTimeout(open, 5000);
    };
    source.addEventListener("decision", (e) => { last = e.lastEventId; add(e.data); });
    source.addEventListener("at", (e) => { last = e.lastEventId; });
    source.addEventListener("gap", (e) => { gap.textContent = e.data + " decisions came and went before they could be shown; the log has them."; gap.hidden = false; });
    source.addEventListener("restart", () => { source.close(); location.reload(); });
  }
  button.addEventListener("click", () => {
    const paused = source !== null;
    if (paused) { source.close(); source = null; clearTimeout(again); connection.textContent = "Paused"; } else open();
    button.textContent = paused ? "Resume" : "Pause";
  });
  button.hidden = false;
  age(document);
  setInterval(() => age(list), 10000);
  setInterval(say, 5000);
  setInterval(() => { if (source && refreshAt && Date.now() >= refreshAt) refresh(); }, 1000);
  setInterval(() => { if (source) refresh(); }, 30000);
  open();
})();
