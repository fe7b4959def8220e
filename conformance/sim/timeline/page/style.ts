/** How the page of a run looks, over the style of the reports: light, dark, and a switch between; readable without colour. */

const LIGHT = `
  color-scheme: light; --ink: #1c2128; --soft-ink: #59636e; --paper: #ffffff; --line: #d4d9e0; --soft: #f5f7f9; --good: #116329;
  --bad: #b3131d; --bar: #9fc4ec; --accent: #0b5cad; --grid: #e9ecf0; --changed: #fff3c4;
  --network: #a8510a; --disk: #7436d6; --clock: #0c6b64; --process: #b3134f;
  --view-0: #a8cbf0; --view-1: #b6dfae; --view-2: #f5d295; --view-3: #d8c0f2; --view-4: #f4b9c1; --view-5: #a5dfdb;
`;
const DARK = `
  color-scheme: dark; --ink: #e6e9ee; --soft-ink: #a3adb8; --paper: #14171b; --line: #363d46; --soft: #1c2026; --good: #6fd08a;
  --bad: #ff8a8a; --bar: #2f5680; --accent: #7db8f7; --grid: #22272e; --changed: #4a3f14;
  --network: #f0ad5c; --disk: #b99df8; --clock: #5ccfc3; --process: #ff8fb4;
  --view-0: #2d5582; --view-1: #2c6a3b; --view-2: #7a5719; --view-3: #5c4187; --view-4: #8a3b4d; --view-5: #1d6966;
`;

export const TIMELINE_STYLE = `
:root { ${LIGHT} }
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) { ${DARK} } }
:root[data-theme="dark"] { ${DARK} }
body { max-width: none; margin: 0; padding: 0; min-height: 100vh; display: flex; flex-direction: column; }
[hidden] { display: none !important; }
header .about { padding: .75rem 1rem .5rem; } header h1 { font-size: 1.25rem; margin: 0; } header p { margin: .15rem 0; max-width: none; }
.failed { border-left: 4px solid var(--bad); padding-left: .75rem; overflow-wrap: anywhere; }
.run-facts { color: var(--soft-ink); font-size: .875rem; font-variant-numeric: tabular-nums; }
.toolbar { display: flex; flex-wrap: wrap; gap: .4rem; padding: .4rem 1rem; align-items: center; border-block: 1px solid var(--line); background: var(--soft); }
.toolbar .group { display: inline-flex; gap: .25rem; } .toolbar label { display: inline-flex; gap: .4rem; align-items: center; }
button, input { font: inherit; font-size: .875rem; color: var(--ink); background: var(--paper); border: 1px solid var(--soft-ink); border-radius: .35rem; padding: .25rem .6rem; min-height: 2rem; }
button { cursor: pointer; } button:hover:not(:disabled) { border-color: var(--accent); color: var(--accent); } button:disabled { color: var(--soft-ink); border-style: dashed; cursor: default; }
button[aria-pressed="true"] { background: var(--ink); color: var(--paper); border-color: var(--ink); }
button.failure { border-color: var(--bad); color: var(--bad); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
#filter { width: 15rem; max-width: 60vw; } #matches { color: var(--soft-ink); font-size: .875rem; font-variant-numeric: tabular-nums; min-width: 6rem; }
main { flex: 1; display: grid; grid-template-columns: minmax(0, 1fr); grid-template-areas: "stage" "panel"; min-height: 0; }
#drawing { grid-area: stage; min-width: 0; display: flex; flex-direction: column; padding: .5rem; }
#stage { position: relative; flex: 1; min-height: 24rem; border: 1px solid var(--line); border-radius: .35rem; overflow: hidden; touch-action: pan-y; cursor: grab; user-select: none; -webkit-user-select: none; }
#stage.dragging { cursor: grabbing; } #stage canvas, #overview canvas { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
#overview { position: relative; flex: none; height: 2.5rem; margin-top: .35rem; border: 1px solid var(--line); border-radius: .35rem; overflow: hidden; cursor: pointer; touch-action: none; }
#hint { position: absolute; pointer-events: none; max-width: 26rem; padding: .2rem .5rem; font-size: .8125rem; background: var(--ink); color: var(--paper); border-radius: .25rem; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; margin: .35rem 0 0; padding: 0; list-style: none; font-size: .8125rem; color: var(--soft-ink); }
.legend svg { width: 2.1em; height: 1em; vertical-align: -.15em; margin-right: .35em; overflow: visible; }
#table { grid-area: stage; min-width: 0; padding: .5rem 1rem; } #table table { width: 100%; } #table td:last-child, #table th:last-child { white-space: nowrap; }
#table tr[aria-current="true"] { background: var(--changed); } #table .paging { display: flex; gap: .5rem; align-items: center; flex-wrap: wrap; margin: .25rem 0; }
#panel { grid-area: panel; min-width: 0; border-top: 1px solid var(--line); padding: .75rem 1rem 2rem; }
#panel h2 { font-size: 1.05rem; overflow-wrap: anywhere; line-height: 1.35; } #panel h3 { font-size: .9375rem; margin: 1.1rem 0 .25rem; }
#panel table { width: 100%; table-layout: fixed; font-size: .8125rem; } #panel table.cluster { table-layout: auto; } #panel thead th { white-space: normal; } #panel table.cluster :is(td, th) { padding-right: .35rem; } #panel td, #panel th { overflow-wrap: anywhere; padding: .25rem .5rem .25rem 0; }
#panel dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .1rem .75rem; margin: .5rem 0; font-size: .8125rem; } #panel dt { color: var(--soft-ink); } #panel dd { margin: 0; overflow-wrap: anywhere; }
#panel pre { font-size: .75rem; line-height: 1.45; white-space: pre; background: var(--soft); border: 1px solid var(--line); border-radius: .35rem; padding: .6rem .75rem; margin: .25rem 0; }
#panel .step { display: flex; gap: .4rem; flex-wrap: wrap; margin: .5rem 0 0; }
#panel .links { list-style: none; margin: 0; padding: 0; display: grid; gap: .2rem; } #panel .links button { min-height: 1.5rem; padding: .1rem .5rem; font-size: .8125rem; text-align: left; border-color: var(--line); max-width: 100%; overflow-wrap: anywhere; }
tr.changed > * { background: var(--changed); } tr.changed > :first-child { font-weight: 700; box-shadow: inset 3px 0 var(--accent); padding-left: .5rem !important; }
.guard-list { list-style: none; margin: 0; padding: 0; font-size: .8125rem; } .guard-list > li { border-left: 3px solid var(--good); padding: .15rem 0 .15rem .6rem; margin: .45rem 0; } .guard-list > li.fails { border-color: var(--bad); }
.guard-list strong { overflow-wrap: anywhere; } .guard-list .mono { display: block; color: var(--soft-ink); }
#keys { border: 1px solid var(--line); border-radius: .5rem; background: var(--paper); color: var(--ink); padding: 1rem 1.5rem; max-width: min(34rem, 92vw); } #keys::backdrop { background: rgb(0 0 0 / .45); }
#keys dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .3rem 1rem; margin: .75rem 0; } #keys dd { margin: 0; }
kbd { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .8125rem; border: 1px solid var(--line); border-bottom-width: 2px; border-radius: .25rem; padding: 0 .35rem; background: var(--soft); }
.visually-hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (min-width: 1000px) {
  body { height: 100vh; } main { grid-template-columns: minmax(0, 1fr) 27rem; grid-template-areas: "stage panel"; }
  #panel { border-top: 0; border-left: 1px solid var(--line); overflow-y: auto; } #table { overflow-y: auto; } #drawing { overflow-y: auto; }
}
@media (max-width: 599px) { #stage { min-height: 26rem; } .toolbar { padding-inline: .5rem; } #filter { width: 100%; max-width: none; } .toolbar label { flex: 1 1 12rem; } }
@media (prefers-reduced-motion: no-preference) { button { transition: color .1s, border-color .1s; } }
`;
