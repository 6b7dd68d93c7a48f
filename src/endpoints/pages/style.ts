/** The style sheet of every page, served under a name that changes with its content. */
import { sha256Hex } from '../../base/seal.ts'

export const styleSheet = `
:root {
  color-scheme: light dark;
  --ink: #16202c; --soft: #5a6878; --line: #d9e0e8; --ground: #f6f8fa; --card: #fff;
  --accent: #0b6e4f; --accent-ink: #fff; --accent-soft: #e3f3ed; --bad: #a3271e; --bad-soft: #fbeae8; --warn-soft: #fdf4dc;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6edf3; --soft: #9aa7b4; --line: #2c3742; --ground: #0f151b; --card: #171f27;
    --accent: #35b58a; --accent-ink: #06231a; --accent-soft: #12332a; --bad: #ff8f85; --bad-soft: #3a1a18; --warn-soft: #33290f;
  }
}
*, *::before, *::after { box-sizing: border-box }
html { font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; color: var(--ink); background: var(--ground) }
body { margin: 0 }
a { color: var(--accent); text-underline-offset: .15em }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px }
.skip { position: absolute; left: -999px } .skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .5rem 1rem; z-index: 1 }
header.top { background: var(--card); border-bottom: 1px solid var(--line) }
header.top > div { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem } main, footer > div { max-width: 64rem; margin: 0 auto; padding: 0 1.25rem }
header.top > div { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem 1.5rem; min-height: 3.75rem; padding-block: .5rem }
.brand { font-weight: 700; letter-spacing: -.01em; color: var(--ink); text-decoration: none; font-size: 1.15rem }
.brand::before { content: ""; display: inline-block; width: .8rem; height: .8rem; margin-right: .5rem; border: .22rem solid var(--accent); border-right-color: transparent; border-radius: 50%; transform: rotate(-45deg) }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; list-style: none; margin: 0; padding: 0 }
nav a { text-decoration: none; color: var(--soft) } nav a:hover, nav a[aria-current] { color: var(--ink) } nav a[aria-current] { font-weight: 600; box-shadow: 0 2px 0 var(--accent) }
.who { margin-left: auto; display: flex; align-items: center; gap: .9rem; color: var(--soft); font-size: .9rem }
main { padding-block: 2rem 4rem }
main.narrow { max-width: 34rem }
footer { border-top: 1px solid var(--line); color: var(--soft); font-size: .875rem } footer > div { padding-block: 1.25rem }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -.02em; margin: 0 0 .4rem } h2 { font-size: 1.2rem; margin: 2.25rem 0 .6rem; letter-spacing: -.01em } h3 { font-size: 1rem; margin: 1.25rem 0 .3rem }
.lead { color: var(--soft); margin: 0 0 1.5rem; max-width: 46rem }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.25rem 1.4rem; margin: 1rem 0 }
.card > :first-child { margin-top: 0 } .card > :last-child { margin-bottom: 0 }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 1rem } .columns .card { margin: 0 }
.figure { font-size: 1.6rem; font-weight: 650; font-variant-numeric: tabular-nums; letter-spacing: -.02em } .figure small { font-size: .9rem; font-weight: 400; color: var(--soft); letter-spacing: 0 }
.label { color: var(--soft); font-size: .875rem; margin: 0 }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; background: var(--card); margin: 1rem 0 }
table { border-collapse: collapse; width: 100% } caption { text-align: left; padding: .8rem 1rem 0; color: var(--soft) }
th, td { text-align: left; font-weight: 400; padding: .6rem 1rem; border-bottom: 1px solid var(--line); vertical-align: baseline } thead th { font-size: .82rem; font-weight: 600; color: var(--soft); white-space: nowrap } tbody:last-child tr:last-child > *, tfoot tr:last-child > * { border-bottom: 0 }
tfoot th, tfoot td { font-weight: 650; border-top: 2px solid var(--line) }
th.number, td.number { text-align: right } tr.group > * { font-weight: 600; background: var(--ground) } tr.group .hint { font-weight: 400 } td button:not(.link), td .button { padding: .3rem .8rem; white-space: nowrap } td form + form { margin-top: .3rem }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
code, kbd, pre, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: .92em }
pre { overflow-x: auto; background: var(--ground); border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1rem; margin: .75rem 0 } .wrap { overflow-wrap: anywhere } pre.wrap { white-space: pre-wrap } time { white-space: nowrap }
dl.facts { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .35rem 1.5rem; margin: .75rem 0 } dl.facts dt { color: var(--soft) } dl.facts dd { margin: 0; overflow-wrap: anywhere }
.state { display: inline-block; padding: .05rem .6rem; border-radius: 99px; font-size: .85rem; background: var(--line); white-space: nowrap } .state.good { background: var(--accent-soft); color: var(--accent) } .state.bad { background: var(--bad-soft); color: var(--bad) } .state.wait { background: var(--warn-soft) }
form { margin: 0 } form.row { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; margin: .75rem 0 } form.row label { font-weight: 600 } form.row input { width: auto !important; max-width: 100% } form.inline { display: inline } .field { margin: 0 0 1rem } .field label, legend { display: block; font-weight: 600; margin-bottom: .25rem } .hint { color: var(--soft); font-size: .875rem; margin: .25rem 0 0 }
fieldset { border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.25rem; margin: 0 0 1rem } .check { display: flex; gap: .6rem; align-items: baseline; margin: 0 0 1rem } .check label { font-weight: 400 }
input:not([type=checkbox]):not([type=radio]), select, textarea { font: inherit; color: inherit; width: 100%; padding: .55rem .7rem; background: var(--card); border: 1px solid var(--soft); border-radius: 7px } textarea { min-height: 6rem }
.problem { color: var(--bad); font-size: .9rem; margin: .25rem 0 0; white-space: normal } [aria-invalid=true] { border-color: var(--bad) !important; box-shadow: 0 0 0 1px var(--bad) } input.rate { width: 8rem !important; text-align: right; padding-block: .35rem !important }
.hint + .field, .hint + fieldset, .hint + .scroll { margin-top: .9rem } td .wrap { overflow-wrap: normal }
.options { display: flex; flex-wrap: wrap; gap: .4rem 1.4rem } label.option { display: inline-flex; gap: .5rem; align-items: baseline; font-weight: 400; margin: 0 } input[type=checkbox] { accent-color: var(--accent); width: 1.05rem; height: 1.05rem }
details { margin: 1rem 0 } summary { cursor: pointer; color: var(--accent) } details[open] > summary { margin-bottom: .75rem }
.back { margin: 0 0 .5rem; font-size: .9rem } .back a::before { content: "‹ " } nav.pages { display: flex; gap: 1.25rem } nav.pages a, .back a { color: var(--accent); text-decoration: underline }
nav.tabs { border-bottom: 1px solid var(--line); margin: 1rem 0 1.5rem } nav.tabs a { display: inline-block; padding: .4rem .1rem }
iframe.mail { width: 100%; height: 32rem; border: 1px solid var(--line); border-radius: 10px; background: #fff; color-scheme: light }
button, .button { font: inherit; font-weight: 600; cursor: pointer; display: inline-block; padding: .55rem 1.1rem; border-radius: 7px; border: 1px solid var(--accent); background: var(--accent); color: var(--accent-ink); text-decoration: none }
button:hover, .button:hover { filter: brightness(1.08) } button.quiet, .button.quiet { background: transparent; color: var(--accent) } button.danger, .button.danger { background: transparent; border-color: var(--bad); color: var(--bad) } button.link { background: none; border: 0; padding: 0; color: var(--accent); text-decoration: underline; text-underline-offset: .15em; font-weight: 400 }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; margin-top: 1.25rem }
.note { border-left: 4px solid var(--accent); background: var(--accent-soft); padding: .75rem 1rem; border-radius: 0 8px 8px 0; margin: 1rem 0 } .note > :first-child { margin-top: 0 } .note > :last-child { margin-bottom: 0 } .note ul { padding-left: 1.2rem } .note.bad { border-color: var(--bad); background: var(--bad-soft) } .note.wait { border-color: #c99b1d; background: var(--warn-soft) }
.empty { color: var(--soft); padding: 1.25rem; text-align: center; border: 1px dashed var(--line); border-radius: 10px; margin: 1rem 0 }
.total { font-size: 1.15rem; font-weight: 650 }
.prose { white-space: pre-line; overflow-wrap: anywhere }
@media (max-width: 40rem) { thead th, thead th.number { white-space: normal } th, td { padding: .5rem .55rem } table { font-size: .9rem } tbody th, tfoot th { min-width: 6.75rem } tr.group th { min-width: 0 } input.rate { width: 5rem !important } dl.facts { grid-template-columns: minmax(6rem, max-content) 1fr; gap: .35rem 1rem } main { padding-top: 1.25rem } .columns { gap: .6rem } .columns .card { padding: .9rem 1.1rem } }
@media print { header.top, footer, .actions, nav, .who, button, .button { display: none !important } html { background: #fff; color: #000 } .card, .scroll { border-color: #bbb; break-inside: avoid } }
@media (prefers-reduced-motion: no-preference) { button, .button { transition: filter .15s } }
`

export const styleSheetPath = `/assets/${sha256Hex(styleSheet).slice(0, 16)}.css`
