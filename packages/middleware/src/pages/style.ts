// The look of the gateway's own pages: one style sheet, light and dark, no script, no file of its own.

/** The style sheet, inlined into each page and named by hash in its Content-Security-Policy. */
export const pageStyle: string = `
:root{color-scheme:light dark;--page:#f4f5f7;--card:#fff;--line:#d5d9e0;--field:#868e9d;--text:#1b1f27;--soft:#596070;--accent:#1f5fd0;--on:#fff;--bad:#b3261e;--badbg:#fdeceb}
@media(prefers-color-scheme:dark){:root{--page:#14171c;--card:#1d2129;--line:#3a414e;--field:#717a8b;--text:#e8eaef;--soft:#a3abba;--accent:#8ab4ff;--on:#0d1320;--bad:#ffb4ab;--badbg:#3b1f1d}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:1.5rem;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:24rem;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.875rem;box-shadow:0 1px 2px #0000000d,0 8px 24px #0000000f;overflow-wrap:break-word}
h1{margin:0 0 .25rem;font-size:1.5rem;line-height:1.25;letter-spacing:-.01em}
p{margin:.5rem 0}
.code{margin:0 0 .5rem;color:var(--soft);font-size:.875rem;font-weight:600;letter-spacing:.06em}
.soft{color:var(--soft)}
.small{margin-top:1.25rem;font-size:.875rem}
.bad{margin:1rem 0;padding:.625rem .875rem;border-radius:.5rem;background:var(--badbg);color:var(--bad)}
form{margin:1.25rem 0 0}
label{display:block;margin:1rem 0 .25rem;font-weight:600;font-size:.9375rem}
input{width:100%;padding:.625rem .75rem;border:1px solid var(--field);border-radius:.5rem;background:var(--page);color:inherit;font:inherit}
button,.button{display:block;width:100%;margin:1.5rem 0 0;padding:.6875rem 1rem;border:1px solid var(--accent);border-radius:.5rem;background:var(--accent);color:var(--on);font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}
button:hover,.button:hover{filter:brightness(1.08)}
.plain{margin-top:.75rem;border-color:var(--field);background:transparent;color:var(--text)}
.plain:hover{background:var(--page);filter:none}
.or{display:flex;align-items:center;gap:.75rem;margin:1.5rem 0 .25rem;color:var(--soft);font-size:.875rem}
.or::before,.or::after{content:"";flex:1;border-top:1px solid var(--line)}
.quiet{background:transparent;color:var(--accent);margin-top:.75rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
a{color:var(--accent)}
code{font-size:.9em}
@media(max-width:26rem){body{padding:0;place-items:stretch}main{border:0;border-radius:0;box-shadow:none;padding:1.5rem;max-width:none}}
@media(forced-colors:active){main,button,.button{border:1px solid}}
`.trim();
