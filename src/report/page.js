"use strict";
(function () {
  const svgNamespace = "http://www.w3.org/2000/svg";
  const round = (value) => value === null ? "–" : String(Number(value.toPrecision(4)));

  /* Charts: the values at the x nearest to the pointer. */
  for (const figure of document.querySelectorAll("figure.chart")) {
    const svg = figure.querySelector(":scope > svg"), data = JSON.parse(figure.querySelector("script").textContent);
    const [low, high, from, to] = data.x;
    const rule = document.createElementNS(svgNamespace, "path"), tip = document.createElement("div");
    rule.setAttribute("class", "axis");
    tip.className = "tip";
    tip.hidden = true;
    svg.append(rule);
    figure.append(tip);
    const hide = () => { tip.hidden = true; rule.removeAttribute("d"); };
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect(), scale = box.width / svg.viewBox.baseVal.width;
      const x = low + ((event.clientX - box.left) / scale - from) / (to - from) * (high - low);
      let at = null;
      for (const series of data.series)
        for (let i = 0; i < series.x.length - (data.steps ? 1 : 0); i++) {
          const here = data.steps ? (series.x[i] + series.x[i + 1]) / 2 : series.x[i];
          if (at === null || Math.abs(here - x) < Math.abs(at.middle - x)) at = { x: series.x[i], middle: here, next: series.x[i + 1] };
        }
      if (at === null) return hide();
      const lines = [data.steps ? data.label + " " + round(at.x) + " – " + round(at.next) : data.label + " " + round(at.x)];
      for (const series of data.series) {
        const i = series.x.indexOf(at.x);
        if (i >= 0 && series.y[i] !== null) lines.push(series.name + " " + round(series.y[i]));
      }
      tip.replaceChildren(...lines.map((line) => { const div = document.createElement("div"); div.textContent = line; return div; }));
      tip.hidden = false;
      const place = from + (at.middle - low) / (high - low) * (to - from);
      rule.setAttribute("d", "M" + place + " " + data.y[0] + "V" + data.y[1]);
      const left = place * scale, room = figure.clientWidth;
      tip.style.left = Math.max(0, left + 12 + tip.offsetWidth > room ? left - 12 - tip.offsetWidth : left + 12) + "px";
      tip.style.top = svg.offsetTop + 8 + "px";
    });
  }

  /* Reconstructions: two sliders; the place is kept behind the # of the address. */
  const viewer = document.querySelector(".viewer");
  if (!viewer) return;
  const sets = JSON.parse(document.getElementById("watch").textContent);
  const index = document.getElementById("index"), epoch = document.getElementById("epoch");
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const longest = sets.reduce((a, b) => b.epochs.length > a.epochs.length ? b : a);

  function curve(set, text, i) {
    let path = "", drawing = false;
    for (let k = 0; k < set.features; k++) {
      const at = 2 * (i * set.features + k), value = digits.indexOf(text[at]) * 64 + digits.indexOf(text[at + 1]);
      if (value < 4095)
        path += (drawing ? "L" : "M") + (set.features > 1 ? 64 * k / (set.features - 1) : 32).toFixed(3) + " " + (62 - 60 * value / 4094).toFixed(3);
      drawing = value < 4095;
    }
    return path;
  }

  const nameOf = (number) => number === 0 ? "before training" : "epoch " + number;

  function showSet(set, i, e) {
    const box = viewer.querySelector("[data-set=" + set.prefix + "]");
    i = Math.min(i, set.n - 1);
    e = Math.min(e, set.epochs.length - 1);
    const x = i % set.columns * set.width, y = Math.floor(i / set.columns) * set.height, sample = set.samples[i];
    box.querySelector("h3 output").textContent = (sample[0] ? "sample " + sample[0] : "sample " + i) + (sample[1] ? ", label " + sample[1] : "");
    for (const svg of box.querySelectorAll("svg[data-role]")) {
      const role = svg.dataset.role, here = svg.querySelector(".here"), uses = svg.querySelectorAll("use");
      if (role === "curve") {
        const texts = [set.original].concat(set.input ? [set.input] : [], [set.frames[e]]);
        svg.querySelectorAll("path").forEach((path, k) => path.setAttribute("d", curve(set, texts[k], i)));
        continue;
      }
      if (role === "epoch" || role === "difference") uses[uses.length - 1].setAttribute("href", "#" + set.prefix + "-" + set.epochs[e]);
      if (here && role === "epoch") svg.parentNode.querySelector("figcaption").textContent = "reconstructions, " + nameOf(set.epochs[e]);
      if (here) {
        here.setAttribute("x", x);
        here.setAttribute("y", y);
      } else {
        svg.setAttribute("viewBox", [x, y, set.width, set.height].join(" "));
        const back = svg.querySelector("rect");
        if (back) { back.setAttribute("x", x); back.setAttribute("y", y); }
      }
    }
  }

  function show(keep) {
    const i = Number(index.value), e = Number(epoch.value), number = longest.epochs[e];
    const name = nameOf(number);
    viewer.querySelector("output[for=index]").textContent = i + 1 + " of " + (Number(index.max) + 1);
    viewer.querySelector("output[for=epoch]").textContent = name;
    epoch.setAttribute("aria-valuetext", name);
    for (const set of sets) showSet(set, i, e);
    if (keep) try { history.replaceState(null, "", "#index=" + i + "&epoch=" + number); } catch (refused) { /* from disk */ }
  }

  function fromAddress() {
    const wanted = /^#index=(\d+)&epoch=(\d+)$/.exec(location.hash);
    if (!wanted) return;
    index.value = wanted[1];
    let near = 0;
    longest.epochs.forEach((number, e) => { if (Math.abs(number - wanted[2]) < Math.abs(longest.epochs[near] - wanted[2])) near = e; });
    epoch.value = near;
  }

  for (const slider of [index, epoch]) slider.addEventListener("input", () => show(true));
  for (const svg of viewer.querySelectorAll(".grid svg"))
    svg.addEventListener("click", (event) => {
      const set = sets.find((one) => one.prefix === svg.closest(".set").dataset.set), box = svg.getBoundingClientRect();
      const column = Math.floor((event.clientX - box.left) / box.width * set.columns);
      const row = Math.floor((event.clientY - box.top) / box.height * Math.ceil(set.n / set.columns));
      index.value = Math.min(row * set.columns + column, set.n - 1);
      show(true);
    });
  window.addEventListener("hashchange", () => { fromAddress(); show(false); });
  viewer.hidden = false;
  fromAddress();
  show(false);
})();
