// Addresses, keys and colours.
const VIEWS = ['overview', 'tests', 'compare', 'deprecations', 'coverage', 'times', 'cells', 'notes'];
const panel = document.getElementById('panel');
const help = document.getElementById('help');
let view = 'overview', home = '#overview', opener = null;

function route() {
  follow();
  reachable();
}

function follow() {
  const raw = location.hash.slice(1) || 'overview';
  const [path, query] = raw.includes('?') && !raw.startsWith('test/') ? raw.split('?', 2) : [raw, ''];
  const at = path.indexOf('/');
  const kind = at < 0 ? path : path.slice(0, at);
  const rest = at < 0 ? '' : decode(path.slice(at + 1));
  if (PANELS[kind]) { show(view); open(PANELS[kind](rest), kind, rest); return; }
  close(false);
  if (!VIEWS.includes(kind)) return;
  const moved = view !== kind;
  home = location.hash || '#overview';
  show(kind);
  if (kind === 'tests') testsView(query);
  if (kind === 'compare') compareView(rest);
  if (kind === 'times') timesView();
  if (moved || kind === 'overview') window.scrollTo(0, 0);
}

function decode(text) { try { return decodeURIComponent(text); } catch { return text; } }

function show(name) {
  view = name;
  for (const section of document.querySelectorAll('.view')) section.hidden = section.id !== name;
  for (const link of document.querySelectorAll('.bar nav a')) {
    if (link.hash === `#${name}`) link.setAttribute('aria-current', 'page'); else link.removeAttribute('aria-current');
  }
}

function open(made, kind, name) {
  if (panel.hidden) opener = document.activeElement;
  const [what, title, body] = made ?? [kind, 'Not in this run', [h('p', {}, `This run has no ${kind} `, bdi(name || 'without a name'), '.')]];
  panel.replaceChildren(
    h('header', {}, h('div', {}, h('p', { class: 'kind' }, what), h('h2', { id: 'panel-title' }, bdi(title))),
      h('div', { class: 'tools' }, h('button', { type: 'button', 'data-copy': location.href }, 'Copy link'), h('button', { type: 'button', 'aria-label': 'Close', 'aria-keyshortcuts': 'Escape', onclick: () => leave() }, '✕'))),
    h('div', {}, body));
  panel.hidden = false;
  panel.classList.add('open');
  panel.scrollTop = 0;
  panel.focus();
}

function close(back = true) {
  if (panel.hidden) return;
  panel.hidden = true;
  panel.classList.remove('open');
  panel.replaceChildren();
  if (back) opener?.focus?.();
}

function leave() { history.pushState(null, '', home); close(); }

// Colours: as the system has them, light or dark; kept for the next report where that is allowed.
const THEMES = { '': ['◐', 'as the system has them'], light: ['☀', 'light'], dark: ['☾', 'dark'] };
function theme(name) {
  const button = document.getElementById('theme');
  if (name) document.documentElement.dataset.theme = name; else delete document.documentElement.dataset.theme;
  [button.textContent] = THEMES[name];
  button.setAttribute('aria-label', `Colours: ${THEMES[name][1]}`);
  try { localStorage.setItem('djhop-theme', name); } catch { /* a page from a file may have no store */ }
}
function stored() { try { return localStorage.getItem('djhop-theme') ?? ''; } catch { return ''; } }
function nextTheme() {
  const names = Object.keys(THEMES);
  theme(names[(names.indexOf(document.documentElement.dataset.theme ?? '') + 1) % names.length]);
}

const KEYS = {
  '/': ['search tests', () => { location.hash = '#tests'; setTimeout(() => document.querySelector('#filters input')?.focus()); }],
  1: ['the views, in their order: 1 to 8'],
  n: ['next hop or, with a panel open, next cell, hop or cause', () => neighbour(1)],
  p: ['the one before', () => neighbour(-1)],
  c: ['copy the first command of the panel', () => { const text = panel.querySelector('.command [data-copy]')?.dataset.copy; if (text) copy(text); }],
  t: ['colours: system, light, dark', nextTheme],
  Escape: ['close the panel'],
  'j k ↓ ↑': ['in a list: next, before; Home, End and Page keys too'],
  Enter: ['open what has the focus'],
  '?': ['this list', () => helped()],
};

function neighbour(step) {
  const kind = location.hash.slice(1).split('/')[0];
  const lists = { cell: M.cells, hop: M.hops, cause: M.causes };
  const list = panel.hidden ? M.hops : lists[kind];
  if (!list?.length) return;
  const id = decode(location.hash.slice(kind.length + 2));
  const at = panel.hidden ? (step > 0 ? -1 : 0) : list.findIndex((one) => one.id === id);
  location.hash = `#${panel.hidden ? 'hop' : kind}/${list[(at + step + list.length) % list.length].id}`;
}

function helped() {
  help.replaceChildren(h('h2', { id: 'help-title' }, 'Keys'), h('table', {}, h('tbody', {}, Object.entries(KEYS).map(([key, [what]]) => h('tr', {}, h('td', { class: 'nowrap' }, key.split(' ').map((one) => [h('kbd', {}, one), ' '])), h('td', {}, what))))),
    h('form', { method: 'dialog' }, h('button', {}, 'Close')));
  help.showModal();
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  const typing = event.target.closest('input, select, textarea');
  if (event.key === 'Escape') {
    if (!panel.hidden) leave(); else typing?.blur();
  } else if (!typing && /^[1-8]$/.test(event.key)) {
    location.hash = `#${VIEWS[event.key - 1]}`;
  } else if (!typing && KEYS[event.key]?.[1]) {
    event.preventDefault();
    KEYS[event.key][1]();
  } else if (typing?.type === 'search' && event.key === 'ArrowDown') {
    event.preventDefault();
    tests?.go(0);
  }
}

// What scrolls sideways can be scrolled by keyboard, and is no stop where it does not.
function reachable() {
  for (const box of document.querySelectorAll('.wide')) {
    const scrolls = box.scrollWidth > box.clientWidth;
    for (const [name, value] of Object.entries({ tabindex: '0', role: 'group', 'aria-label': 'Table' })) {
      if (scrolls) box.setAttribute(name, value); else box.removeAttribute(name);
    }
  }
}

document.documentElement.classList.add('scripts');
theme(stored());
document.addEventListener('keydown', pressed);
document.addEventListener('click', (event) => {
  const text = event.target.closest('[data-copy]')?.dataset.copy;
  if (text) copy(text);
});
document.getElementById('theme').addEventListener('click', nextTheme);
document.getElementById('keys').addEventListener('click', helped);
show('overview');
requestAnimationFrame(() => setTimeout(async () => {
  await unpack();
  addEventListener('hashchange', route);
  addEventListener('resize', reachable);
  route();
  document.documentElement.dataset.ready = 'yes';
  (window.requestIdleCallback ?? setTimeout)(anyBits);
}));
