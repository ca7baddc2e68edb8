(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("chart-data").textContent);
  const timeline = document.getElementById("timeline");
  const machines = document.getElementById("machines");
  const plots = [];
  const outages = new Map();
  let zooming = false;

  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  const BYTES = [["GiB", 1 << 30], ["MiB", 1 << 20], ["KiB", 1 << 10], ["B", 1]];
  const POWERS = Array.from({ length: 50 }, (_, power) => 2 ** power);

  function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }

  function figures(value) {
    return Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 6 });
  }

  /* The text of a value; `scale` is the largest value in sight, so that one axis keeps to one unit. */
  function say(value, unit, scale) {
    if (value == null) return "";
    const most = Math.abs(scale === undefined ? value : scale);
    if (unit === "s") return most < 1 ? figures(value * 1e3) + " ms" : figures(value) + " s";
    if (unit === "share") return figures(value * 100) + " %";
    if (unit === "1/s") return figures(value) + "/s";
    if (unit === "B") {
      const [name, size] = BYTES.find(([, each]) => most >= each) || BYTES[3];
      return figures(value / size) + " " + name;
    }
    return figures(value);
  }

  function elapsed(seconds) {
    const whole = Math.round(seconds);
    const two = (number) => String(number).padStart(2, "0");
    const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
    return data.length >= 7200 ? hours + ":" + two(minutes) : Math.floor(whole / 60) + ":" + two(whole % 60);
  }

  function moment(seconds) {
    if (seconds == null) return "";
    return elapsed(seconds) + " · " + new Date((data.began + seconds) * 1e3).toISOString().slice(11, 19) + " UTC";
  }

  /* The index of the nearest point of this line, as lines have points at different moments. */
  function nearest(plot, line, index) {
    const values = plot.data[line];
    if (line === 0 || values[index] != null) return index;
    for (let step = 1; step < 200; step++) {
      if (values[index - step] != null) return index - step;
      if (values[index + step] != null) return index + step;
    }
    return index;
  }

  /* A bar along the top and a thin line at either end, so that the curve itself stays clear. */
  function edges(ctx, { left, right, top, bottom, ratio }) {
    ctx.globalAlpha = 0.55;
    ctx.fillRect(left, top, right - left, 3 * ratio);
    ctx.globalAlpha = 0.35;
    ctx.fillRect(left, top, ratio, bottom - top);
    ctx.fillRect(right - ratio, top, ratio, bottom - top);
    ctx.globalAlpha = 1;
  }

  /* Where a name in this row must end: at the next span whose name stands there. */
  function room(span, row, at) {
    const next = data.spans.filter((each) => each.level === row && each.began > span.began);
    return at(next.length ? Math.min(...next.map((each) => each.began)) : Infinity);
  }

  function drawSpans(plot, named) {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    const at = (seconds) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, plot.valToPos(seconds, "x", true)));
    ctx.save();
    ctx.font = 11 * ratio + "px system-ui, sans-serif";
    ctx.textBaseline = "top";
    ctx.textAlign = "left";
    let phases = 0;
    for (const span of data.spans) {
      const [left, right] = [at(span.began), at(span.ended)];
      const outer = span.level === 0;
      if (outer) phases++;
      if (right - left < 1) continue;
      ctx.fillStyle = color(outer ? "shade" : "unk");
      if (outer && phases % 2) ctx.fillRect(left, bbox.top, right - left, bbox.height);
      if (!outer) edges(ctx, { left, right, top: bbox.top, bottom: bbox.top + bbox.height, ratio });
      if (!named) continue;
      const short = outer && ctx.measureText(span.name).width > room(span, 0, at) - left - 4 * ratio;
      const row = outer && !short ? 0 : 1;
      ctx.beginPath();
      ctx.rect(left, 0, room(span, row, at) - left - 4 * ratio, bbox.top);
      ctx.save();
      ctx.clip();
      ctx.fillStyle = color(outer ? "ink" : "soft");
      ctx.fillText(span.name, left + 3 * ratio, (row ? 17 : 2) * ratio);
      ctx.restore();
    }
    ctx.restore();
  }

  /* A fault: shaded while it is there, and a line at each moment, named where there is room. */
  function drawOutage(plot, outage, named) {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    const at = (seconds) => plot.valToPos(seconds, "x", true);
    const inside = (x) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, x));
    ctx.save();
    ctx.font = 11 * ratio + "px system-ui, sans-serif";
    ctx.textBaseline = "top";
    ctx.textAlign = "left";
    for (const each of outage.shades) {
      const [left, right] = [inside(at(each.began)), inside(at(each.ended))];
      ctx.fillStyle = color("fail") + "22";
      ctx.fillRect(left, bbox.top, Math.max(right - left, 2 * ratio), bbox.height);
    }
    const ends = [-Infinity, -Infinity];
    for (const each of outage.marks) {
      const x = Math.round(at(each.at));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.fillStyle = color(each.kind === "client" ? "accent" : "soft");
      ctx.globalAlpha = 0.75;
      ctx.fillRect(x, bbox.top, ratio, bbox.height);
      ctx.globalAlpha = 1;
      if (!named || !each.named) continue;
      const row = each.kind === "client" ? 1 : 0;
      const width = ctx.measureText(each.what).width;
      const start = Math.min(x, bbox.left + bbox.width - width);
      if (ends[row] + 6 * ratio > start) continue;
      ends[row] = start + width;
      ctx.fillText(each.what, start, (2 + 14 * row) * ratio);
    }
    ctx.restore();
  }

  function zoomAll(plot, together) {
    if (zooming) return;
    zooming = true;
    const { min, max } = plot.scales.x;
    together.filter((each) => each !== plot).forEach((each) => each.setScale("x", { min, max }));
    zooming = false;
  }

  function showAll(together = plots, length = data.length) {
    together.forEach((each) => each.setScale("x", { min: 0, max: length }));
  }

  function options(chart, place, flags, head) {
    const ink = color("soft");
    const grid = { stroke: color("line"), width: 1 };
    const font = "11px system-ui, sans-serif";
    const strokes = [color("accent"), color("second"), color("pass"), color("unk"), color("warn"), color("fail")];
    const tones = { requests: chart.title === "Errors" ? "fail" : "accent", "database queries": "second", "cache commands": "pass" };
    const [kinds, shares] = [0, 1].map((part) => chart.lines.map((line) => line.label.split(", ")[part]));
    const stroke = (index) => {
      const tone = chart.lines[index].tone || tones[kinds[index]];
      return tone ? color(tone) : strokes[index];
    };
    const dashed = (index) => (chart.lines[index].tone || tones[kinds[index]] ? shares[index] === "p50" : index > 0);
    return {
      width: place.clientWidth,
      height: flags.height,
      padding: [flags.named ? 34 : 8, flags.right || 8, flags.axis ? 0 : 4, 0],
      scales: {
        x: { time: false, range: (plot, min, max) => (min == null ? [0, flags.length || 1] : [min, max]) },
        y: { range: (plot, min, max) => [0, max > 0 ? max * 1.12 : chart.unit === "share" ? 0.01 : 1] },
      },
      axes: [
        {
          show: true, size: flags.axis ? 26 : 0, stroke: ink, grid, font, ticks: { show: false }, incrs: STEPS, space: 70,
          values: (plot, splits) => splits.map((each) => (flags.axis ? flags.tick(each) : "")),
        },
        {
          size: 64, stroke: ink, grid, font, ticks: { show: false }, space: 34, incrs: chart.unit === "B" ? POWERS : undefined,
          values: (plot, splits) => splits.map((each) => say(each, chart.unit, splits[splits.length - 1])),
        },
      ],
      series: [
        { label: "at", value: (plot, value) => flags.moment(value) },
        ...chart.lines.map((line, index) => ({
          label: line.label, stroke: stroke(index), width: dashed(index) ? 1.25 : 1.75, dash: dashed(index) ? [5, 4] : undefined,
          fill: index || chart.lines.length > 1 ? undefined : stroke(index) + "14",
          points: { show: line.values.length < 3 }, value: (plot, value) => say(value, chart.unit),
        })),
      ],
      cursor: { sync: { key: flags.group, scales: ["x", null] }, y: false, drag: { x: true, y: false, dist: 5 }, dataIdx: nearest },
      legend: {
        mount: (plot, legend) => head.append(legend),
        markers: { width: 2, dash: (plot, index) => (index && dashed(index - 1) ? "dashed" : "solid") },
      },
      hooks: { drawClear: [flags.behind], setScale: [(plot, key) => key === "x" && zoomAll(plot, flags.together)] },
    };
  }

  function draw(chart, place, flags) {
    const box = document.createElement("div");
    const head = document.createElement("div");
    const title = document.createElement("b");
    const told = chart.lines.length === 1 && chart.title.toLowerCase().includes(chart.lines[0].label.toLowerCase());
    head.className = told ? "chart-head single" : "chart-head";
    title.textContent = chart.title;
    head.append(title);
    box.append(head);
    place.append(box);
    const table = uPlot.join(chart.lines.map((line) => [line.times, line.values]));
    const plot = new uPlot(options(chart, box, flags, head), table, box);
    plot.over.addEventListener("dblclick", () => showAll(flags.together, flags.length));
    flags.together.push(plot);
  }

  function drawCampaign(chart, place, { height, named, axis }) {
    draw(chart, place, {
      height, named, axis, moment, tick: (each) => elapsed(each), length: data.length, group: "campaign", together: plots,
      behind: (plot) => drawSpans(plot, named),
    });
  }

  /* The charts of one fault; its time counts from the beginning of its scenario. */
  function drawOne(place) {
    const outage = JSON.parse(place.dataset.outage);
    const together = [];
    const say = (value) => (value == null ? "" : figures(value) + " s");
    (outages.get(place) || []).forEach((each) => each.destroy());
    place.replaceChildren();
    outages.set(place, together);
    outage.charts.forEach((chart, index) => draw(chart, place, {
      height: index ? 96 : 190, right: 18, named: index === 0, axis: index === outage.charts.length - 1, moment: say, tick: say,
      length: outage.length, group: outage.name, together, behind: (plot) => drawOutage(plot, outage, index === 0),
    }));
    showAll(together, outage.length);
  }

  /* Within a closed part of the page there is no room to draw: it is drawn once there is. */
  const seen = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    const width = target.clientWidth;
    if (!width) return;
    if (!outages.has(target)) drawOne(target);
    else outages.get(target).forEach((each) => each.width !== width && each.setSize({ width, height: each.height }));
  }));

  function drawAll() {
    plots.splice(0).forEach((plot) => plot.destroy());
    timeline.replaceChildren();
    machines.replaceChildren();
    data.timeline.forEach((chart, index) =>
      drawCampaign(chart, timeline, { height: index ? 96 : 220, named: index === 0, axis: index === data.timeline.length - 1 }));
    data.machines.forEach((chart, index) =>
      drawCampaign(chart, machines, { height: 120, named: !data.timeline.length && index === 0, axis: true }));
    showAll();
    [...outages.keys()].forEach(drawOne);
  }

  function moveCursor(step) {
    const plot = plots[0];
    const width = plot.over.clientWidth;
    const left = plot.cursor.left < 0 ? 0 : plot.cursor.left + step * Math.max(1, width / 100);
    plot.setCursor({ left: Math.min(width, Math.max(0, left)), top: 10 });
  }

  function zoom(factor) {
    const { min, max } = plots[0].scales.x;
    const middle = plots[0].cursor.left < 0 ? (min + max) / 2 : plots[0].posToVal(plots[0].cursor.left, "x");
    const from = Math.max(0, middle - (middle - min) * factor);
    plots[0].setScale("x", { min: from, max: Math.min(data.length, middle + (max - middle) * factor) });
  }

  const KEYS = {
    ArrowLeft: () => moveCursor(-1), ArrowRight: () => moveCursor(1),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), Escape: () => showAll(),
  };

  function onKey(event) {
    const action = KEYS[event.key];
    if (!action || !plots.length || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }

  function openAll() {
    document.querySelectorAll("details").forEach((each) => { each.open = true; });
  }

  drawAll();
  document.querySelectorAll("[data-outage]").forEach((each) => seen.observe(each));
  document.querySelector(plots.length ? ".hint" : ".empty").hidden = false;
  timeline.addEventListener("keydown", onKey);
  addEventListener("beforeprint", openAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) plots.forEach((each) => each.setSize({ width: each.root.parentNode.clientWidth, height: each.height }));
    width = innerWidth;
  });
})();
