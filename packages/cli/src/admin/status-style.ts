// The look of the status page, light and dark.

/** The style sheet, inlined. */
export const statusStyle: string = `
:root{color-scheme:light dark;--page:light-dark(#f4f5f7,#14171c);--card:light-dark(#fff,#1d2129);--line:light-dark(#dde1e7,#333a46);--text:light-dark(#1b1f27,#e8eaef);--soft:light-dark(#596070,#a3abba);--accent:light-dark(#1f5fd0,#8ab4ff);--fill:light-dark(#1f5fd022,#8ab4ff2b);--good:light-dark(#1a7f45,#6fd39b);--warn:light-dark(#94590a,#f2bf6b);--bad:light-dark(#b3261e,#ffb4ab)}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,"DejaVu Sans",sans-serif}
main{max-width:70rem;margin:0 auto;padding:1.5rem 1.25rem 3rem}
header{display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:baseline;margin-bottom:1rem}
h1{margin:0;font:700 1.35rem/1.3 ui-monospace,"DejaVu Sans Mono",monospace;letter-spacing:-.02em}
h2{margin:2rem 0 .6rem;font-size:1rem}
.soft{color:var(--soft)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.75rem}
.card p{margin:.75rem 0 0}
.card{background:var(--card);border:1px solid var(--line);border-radius:.7rem;padding:.9rem 1rem}
.card b{display:block;font-size:1.5rem;line-height:1.25;font-variant-numeric:tabular-nums}
.card .soft{font-size:.85rem}
.wide{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.7rem}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.5rem .85rem;text-align:left;border-top:1px solid var(--line);vertical-align:middle;white-space:nowrap}
thead th{border-top:0}
th{font-weight:600;color:var(--soft);font-size:.8rem}
td.n,th.n{text-align:right}
td.message{white-space:normal;overflow-wrap:anywhere;min-width:16rem}
.why{display:block;min-width:8rem;max-width:22rem;font-size:.8rem;white-space:normal;overflow-wrap:anywhere}
.place{font-weight:600}
.times{margin-left:.4rem;padding:.05rem .5rem;border:1px solid var(--line);border-radius:1rem;color:var(--soft);font-size:.8rem;white-space:nowrap}
.lost-note{display:none;margin:0;padding:.6rem 1.25rem;background:var(--bad);color:var(--page);text-align:center}
.lost .lost-note{display:block;position:sticky;top:0;z-index:1}
.lost main{opacity:.6}
.wide:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
code{font:.9em ui-monospace,"DejaVu Sans Mono",monospace}
svg{display:block;width:100%;height:2.5rem;margin-top:.4rem}
td svg{width:9rem;height:1.6rem;margin:0}
.spark polyline{fill:none;stroke:var(--accent);stroke-width:1.5;vector-effect:non-scaling-stroke}
.spark polygon{fill:var(--fill)}
.spark .flat{stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke}
.bars rect{fill:var(--accent)}
.state{display:inline-flex;align-items:center;gap:.45rem}
.state::before{content:"";width:.6rem;height:.6rem;border-radius:50%;background:var(--soft)}
.ready::before{background:var(--good)}
.starting::before,.stopping::before,.degraded::before,.drained::before{background:var(--warn)}
.failed::before,.stopped::before{background:var(--bad)}
.error,.fatal{color:var(--bad)}
.warn{color:var(--warn)}
.empty{margin:0;padding:.9rem 1rem;color:var(--soft)}
@media (max-width:40rem){main{padding:1rem .75rem 2rem}.cards{grid-template-columns:1fr 1fr;gap:.5rem}.card{padding:.7rem .75rem}.card b{font-size:1.2rem}th,td{padding:.45rem .6rem}td svg{width:5rem}.log th:nth-child(3),.log td:nth-child(3){display:none}td.message{min-width:0}.mounts th:first-child,.mounts td:first-child{position:sticky;left:0;background:var(--card);border-right:1px solid var(--line)}}
`.trim();
