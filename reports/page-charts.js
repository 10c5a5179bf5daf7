/* global uPlot, document, window, matchMedia, getComputedStyle, ResizeObserver, devicePixelRatio */
/** Draws the charts of a report from the page's own data; inlined, it runs in the reader's browser and loads nothing. */
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const narrow = () => window.innerWidth < 640;
  const number = (value) =>
    value >= 100 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)));
  const told = (unit) => (_chart, value) =>
    value === null || value === undefined ? "–" : `${number(value)}${unit === "ms" ? " ms" : unit}`;

  /** Phases as tinted bands with their names, faults as numbered flags; drawn beneath the lines. */
  function bands(chart) {
    const pixel = devicePixelRatio;
    return (u) => {
      const { ctx, bbox } = u;
      const x = (seconds) => u.valToPos(Math.min(Math.max(seconds, 0), chart.xMax), "x", true);
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top - 36 * pixel, bbox.width, bbox.height + 36 * pixel);
      ctx.clip();
      ctx.font = `${11 * pixel}px system-ui, sans-serif`;
      ctx.textBaseline = "middle";
      for (const phase of chart.phases) {
        const [left, right] = [x(phase.fromS), x(phase.toS)];
        ctx.fillStyle = color(`--phase-${phase.role}`);
        ctx.fillRect(left, bbox.top, right - left, bbox.height);
        ctx.fillStyle = color("--rule");
        ctx.fillRect(left, bbox.top - 14 * pixel, pixel, bbox.height + 14 * pixel);
        ctx.fillStyle = color("--soft");
        const room = right - left - 8 * pixel;
        let name = phase.name;
        while (name.length > 1 && ctx.measureText(name).width > room)
          name = name.endsWith("…") ? `${name.slice(0, -2)}…` : `${name.slice(0, -1)}…`;
        if (room > 14 * pixel) ctx.fillText(name, left + 4 * pixel, bbox.top - 7 * pixel);
      }
      ctx.restore();
    };
  }

  /** Numbered flags, above the lines: the numbers are those of the list below. */
  function flags(chart) {
    const pixel = devicePixelRatio;
    return (u) => {
      const { ctx, bbox } = u;
      const x = (seconds) => u.valToPos(Math.min(Math.max(seconds, 0), chart.xMax), "x", true);
      ctx.save();
      ctx.font = `${11 * pixel}px system-ui, sans-serif`;
      ctx.textBaseline = "middle";
      plant(chart, ctx, bbox, x, pixel);
      ctx.restore();
    };
  }

  function plant(chart, ctx, bbox, x, pixel) {
    const lanes = [-Infinity, -Infinity];
    for (const fault of chart.faults) {
      const [left, right] = [x(fault.fromS), x(fault.toS)];
      ctx.fillStyle = color("--fault-band");
      if (right - left > pixel) ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.fillStyle = color("--fault");
      ctx.fillRect(left - pixel / 2, bbox.top, pixel, bbox.height);
      const text = String(fault.number);
      const wide = Math.max(15 * pixel, ctx.measureText(text).width + 8 * pixel);
      const lane = left - wide / 2 > lanes[0] ? 0 : left - wide / 2 > lanes[1] ? 1 : 0;
      lanes[lane] = left + wide / 2 + 2 * pixel;
      const top = bbox.top + (2 + lane * 17) * pixel;
      ctx.beginPath();
      ctx.roundRect(left - wide / 2, top, wide, 15 * pixel, 7 * pixel);
      ctx.fill();
      ctx.fillStyle = color("--paper");
      ctx.textAlign = "center";
      ctx.fillText(text, left, top + 8 * pixel);
      ctx.textAlign = "start";
    }
  }

  const widths = { line: 1.6, fill: 2, dash: 1.4 };

  /** 1, 10, 100 … up to the end of the axis. */
  const decades = (max) =>
    Array.from({ length: Math.floor(Math.log10(max)) + 1 }, (_, power) => 10 ** power);

  function seriesOf(chart) {
    return chart.lines.map((line) => ({
      label: line.label,
      stroke: () => color(line.color),
      fill: line.look === "fill" ? () => color(`${line.color}-fill`) : undefined,
      width: widths[line.look],
      dash: line.look === "dash" ? [5, 4] : undefined,
      points: { show: false },
      spanGaps: false,
      value: told(chart.unit),
    }));
  }

  function draw(chart) {
    const holder = document.getElementById(chart.id);
    if (holder === null) return null;
    const axis = {
      stroke: () => color("--soft"),
      grid: { stroke: () => color("--rule"), width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
    };
    const made = new uPlot(
      {
        width: holder.clientWidth,
        height: Number(holder.dataset.height),
        padding: [20, 12, 0, 0],
        cursor: { sync: { key: holder.dataset.sync }, y: false, points: { size: 6 } },
        legend: { show: true },
        scales: {
          x: { time: false, range: () => [0, chart.xMax] },
          y: chart.log
            ? { distr: 3, range: () => [1, chart.yMax] }
            : { range: () => [0, chart.yMax] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: 30,
            label: undefined,
            values: (_u, splits) => splits.map((at) => `${at} s`),
          },
          {
            ...axis,
            size: narrow() ? 48 : 62,
            ...(chart.log ? { splits: () => decades(chart.yMax) } : {}),
            values: (_u, splits) => splits.map((at) => told(chart.unit)(null, at)),
          },
        ],
        series: [
          { label: chart.axisLabel, value: (_u, at) => (at === null ? "–" : `${at.toFixed(1)} s`) },
          ...seriesOf(chart),
        ],
        hooks: { drawClear: [bands(chart)], draw: [flags(chart)] },
      },
      [chart.tS, ...chart.lines.map((line) => line.values)],
      holder,
    );
    new ResizeObserver(() =>
      made.setSize({ width: holder.clientWidth, height: Number(holder.dataset.height) }),
    ).observe(holder);
    return made;
  }

  const drawn = charts.map(draw).filter((made) => made !== null);
  const again = () => drawn.forEach((made) => made.redraw(false));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  // Paper is white: print with the light colours, whatever the screen has.
  window.addEventListener("beforeprint", () => {
    document.documentElement.classList.add("printing");
    document.querySelectorAll("details").forEach((one) => one.setAttribute("open", ""));
    again();
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    again();
  });
  document.documentElement.dataset.charts = String(drawn.length);
})();
