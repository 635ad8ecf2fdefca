// Small charts as SVG: server-rendered, no script, colours of the page. Pure.

const [WIDTH, HEIGHT] = [240, 40];

/** A line over time, filled below; `label` is read out. */
export function sparkline(values: readonly number[], label: string): string {
  const most = Math.max(1, ...values);
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, at) => `${round(at * step)},${round(HEIGHT - 2 - (value / most) * (HEIGHT - 6))}`);
  const line =
    points.length < 2
      ? `<line class="flat" x1="0" y1="${HEIGHT - 2}" x2="${WIDTH}" y2="${HEIGHT - 2}"/>`
      : `<polygon points="0,${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}"/><polyline points="${points.join(" ")}"/>`;
  return svg("spark", label, line);
}

/** Bars, one per bucket, each with its title. */
export function bars(buckets: readonly { readonly title: string; readonly count: number }[], label: string): string {
  const most = Math.max(1, ...buckets.map(({ count }) => count));
  const width = WIDTH / Math.max(1, buckets.length);
  const drawn = buckets.map(({ title, count }, at) => {
    const height = count === 0 ? 1 : Math.max(2, (count / most) * (HEIGHT - 4));
    return `<rect x="${round(at * width + 1)}" y="${round(HEIGHT - height)}" width="${round(width - 2)}" height="${round(height)}"><title>${title}: ${count}</title></rect>`;
  });
  return svg("bars", label, drawn.join(""));
}

function svg(kind: string, label: string, content: string): string {
  return `<svg class="${kind}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}">${content}</svg>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
