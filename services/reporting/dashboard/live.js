// Says in one polite line that figures have changed since the page was drawn. Nothing on the page moves by itself.
"use strict";
const line = document.querySelector("[data-stream]");
if (line && "EventSource" in window) {
  const { stream, counts, obligation, period, words } = line.dataset;
  let changed = 0;
  let waiting = false;
  const say = async () => {
    waiting = false;
    const answer = await fetch(counts, { headers: { accept: "application/json" } });
    if (!answer.ok) return;
    const chapters = (await answer.json()).chapters;
    const chapter = chapters.find((one) => one.obligation === obligation && (one.period ?? "none") === period);
    if (!chapter) return;
    const text = words
      .replace("{changed}", changed)
      .replace("{actual}", chapter.total.actual_reports)
      .replace("{expected}", chapter.total.expected_reports);
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = line.dataset.reload;
    line.replaceChildren(text, " ", link);
  };
  const source = new EventSource(stream);
  const hear = (count) => {
    changed += count;
    if (waiting) return;
    waiting = true;
    // Together with what follows within five seconds, so that a screen reader is not interrupted at each change.
    setTimeout(() => say().catch(() => {}), 5000);
  };
  source.addEventListener("changes", (event) => {
    const about = JSON.parse(event.data).changes.filter((one) => (one.period ?? "none") === period);
    const count = about.reduce((sum, one) => sum + one.count, 0);
    if (count) hear(count);
  });
  source.addEventListener("reset", () => hear(1));
  addEventListener("pagehide", () => source.close());
}
