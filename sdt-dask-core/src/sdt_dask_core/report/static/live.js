"use strict";
(() => {
  const EVERY = 1000, SLOWER = 5000;   // ms between two questions
  const line = document.getElementById("live-text");
  const end = document.getElementById("live-end");
  const dashboard = document.getElementById("live-dashboard");
  let version = null;

  const ask = async (address) => {
    const answer = await fetch(address, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status);
    return answer;
  };
  const show = (state) => {
    line.textContent = state.text;
    dashboard.hidden = !/^https?:/.test(state.dashboard);
    if (!dashboard.hidden) dashboard.href = state.dashboard;
    if (state.end && end.textContent !== state.end) end.textContent = state.end;
  };
  const replace = (old, fresh) => {
    if (old.innerHTML === fresh.innerHTML) return;
    const open = [...old.querySelectorAll("details")].map((each) => each.open);
    const focused = old.contains(document.activeElement) ? [...old.querySelectorAll("a, button, summary")].indexOf(document.activeElement) : -1;
    const chosen = old.tagName === "SELECT" && old.value !== "" ? words(old.selectedOptions[0]) : null;
    old.replaceChildren(...fresh.childNodes);
    old.querySelectorAll("details").forEach((each, position) => { each.open = open[position] ?? false; });
    if (focused >= 0) old.querySelectorAll("a, button, summary")[focused]?.focus({ preventScroll: true });
    if (chosen !== null) old.value = [...old.options].find((each) => words(each) === chosen)?.value ?? "";
  };
  const words = (option) => option.textContent.replace(/ \(\d+\)$/, "");
  const renew = async () => {
    const page = new DOMParser().parseFromString(await (await ask("./")).text(), "text/html");
    document.querySelectorAll("[data-live]").forEach((old) => {
      const fresh = page.querySelector(`[data-live="${old.dataset.live}"]`);
      if (fresh) replace(old, fresh);
    });
    document.getElementById("rows").textContent = page.getElementById("rows").textContent;
    document.dispatchEvent(new Event("sdt-dask-rows"));
  };
  const follow = async () => {
    let pause = EVERY;
    try {
      const state = await (await ask("state.json")).json();
      show(state);
      if (version !== null && state.version !== version) await renew();
      version = state.version;
    } catch {
      if (!end.textContent) line.textContent = "The run does not answer: it has ended, or was stopped. This is what it said last.";
      pause = SLOWER;
    }
    setTimeout(follow, pause);
  };
  follow();
})();
