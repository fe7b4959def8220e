/** How build/report/check.html looks: one style sheet, light and dark, readable without colour. No font and no image is fetched. */

export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1c2128; --soft-ink: #59636e; --paper: #ffffff; --line: #d4d9e0; --soft: #f5f7f9; --good: #116329; --bad: #b3131d; --bar: #9fc4ec; --accent: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft-ink: #a3adb8; --paper: #14171b; --line: #363d46; --soft: #1c2026; --good: #6fd08a; --bad: #ff8a8a; --bar: #2f5680; --accent: #7db8f7; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 1.5rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; } h2 { font-size: 1.4rem; margin: 0; } h3 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
a { color: var(--accent); } p { margin: .5rem 0; max-width: 100ch; } .soft { color: var(--soft-ink); }
code, pre, ins, del, .mono { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85em; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: .75rem; margin: 1.25rem 0; padding: 0; list-style: none; }
.tiles li { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; background: var(--soft); }
.tiles strong { display: block; font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; } .tiles span { color: var(--soft-ink); font-size: .875rem; }
.component { border-top: 3px solid var(--line); margin-top: 3rem; padding-top: 1.25rem; }
.scroll, pre, figure { overflow-x: auto; margin: .75rem 0; } table { border-collapse: collapse; font-size: .875rem; line-height: 1.4; }
caption { text-align: left; font-weight: 600; padding: .25rem 0 .5rem; font-size: 1rem; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .75rem .35rem 0; text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid var(--line); color: var(--soft-ink); font-weight: 600; white-space: nowrap; vertical-align: bottom; }
tbody th { font-weight: 600; } td { font-variant-numeric: tabular-nums; } td.number, th.number { text-align: right; white-space: nowrap; }
tbody tr:hover { background: var(--soft); }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; } .at { color: var(--soft-ink); font-size: .8em; white-space: nowrap; display: block; font-weight: 400; }
.guards { margin: 0; padding: 0; list-style: none; } .guards li { display: grid; grid-template-columns: 13rem 6.5rem 6.5rem; gap: .5rem; } .guards span { text-align: right; }
.bar { display: block; height: .35rem; border-radius: .2rem; background: var(--bar); margin-top: .2rem; min-width: 1px; }
ins { color: var(--good); text-decoration: none; } del { color: var(--bad); text-decoration: none; }
.problem { border-left: 4px solid var(--bad); padding: .25rem 0 .25rem 1rem; margin: 1rem 0; } .problem h3 { margin: 0; } .one + .one { border-top: 1px solid var(--line); margin-top: 1.5rem; padding-top: .5rem; } .problem li { margin: .15rem 0; }
details { margin: .75rem 0; } summary { cursor: pointer; font-weight: 600; } figcaption { color: var(--soft-ink); font-size: .875rem; }
svg { max-width: 100%; height: auto; color: var(--ink); } svg text { fill: currentColor; font-family: "DejaVu Sans Mono", "Courier New", monospace; }
svg path { stroke: currentColor; fill: none; } svg polygon, svg polyline { stroke: currentColor; } svg .edge polygon { fill: currentColor; } svg .node path { fill: var(--soft); stroke: var(--soft-ink); }
svg .node ellipse { stroke: currentColor; fill: currentColor; } svg .graph > polygon { fill: none; stroke: none; }
@media print { .component { break-before: page; } }
`;
