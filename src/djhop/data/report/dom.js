// Elements, signs and words. Text from the run only ever becomes text, never markup.
const SIGN = { good: '✓', warn: '!', bad: '✗', blocked: '■', unknown: '?' };

function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false && child !== ''));
  return element;
}

function count(number, one, many) { return `${number.toLocaleString('en')} ${number === 1 ? one : many ?? `${one}s`}`; }
function seconds(ms) { return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(ms < 10000 ? 2 : 1)} s`; }
function bdi(text, name) { return h('bdi', { class: name }, text); }
function pill(tone, text) { return h('span', { class: `pill ${tone}` }, text); }
function short(text, limit = 110) { const line = text.split('\n').find((one) => one.trim()) ?? ''; return line.length > limit ? `${line.slice(0, limit - 1)}…` : line; }

// A test in a cell: [sign, tone, words].
function mark(cell, test) {
  return cell.flakyOf.has(test) ? ['~', 'unknown', 'flaky'] : markOf(plainOf(cell, test), strictOf(cell, test));
}

function markOf(plain, strict) {
  switch (KIND[plain]) {
    case 'passed': return ['failed', 'skipped'].includes(KIND[strict]) ? ['!', 'warn', 'passed, not with warnings as errors'] : ['✓', 'good', 'passed'];
    case 'failed': return ['✗', 'bad', OUTCOME[plain]];
    case 'skipped': return ['–', 'unknown', 'skipped'];
    case 'excused': return ['×', 'unknown', OUTCOME[plain]];
    default: return KIND[strict] === 'failed' ? ['!', 'warn', 'failed with warnings as errors; no plain outcome'] : ['·', 'unknown', OUTCOME[plain]];
  }
}

function signs(test, cells = M.cells) {
  const marks = cells.map((cell) => mark(cell, test));
  const tally = new Map();
  for (const [, , words] of marks) tally.set(words, (tally.get(words) ?? 0) + 1);
  const label = [...tally].map(([words, many]) => `${words} in ${many}`).join(', ');
  return h('span', { class: 'signs', role: 'img', 'aria-label': label }, marks.map(([sign, tone]) => h('span', { class: `sign ${tone}` }, sign)));
}

function cellName(cell) { return `${cell.django} on ${cell.python}`; }
function testName(id) {
  const module = moduleOf(id);
  return module.length < id.length ? [h('i', {}, id.slice(0, module.length)), id.slice(module.length)] : [id];
}
function testHref(test) { return `#test/${encodeURIComponent(M.ids[test])}`; }
function testLink(test) { return h('a', { href: testHref(test), class: 'mono' }, bdi(M.ids[test])); }
function cellLink(cell) { return h('a', { href: `#cell/${cell.id}` }, cell.id); }
function hopLink(hop) { return h('a', { href: `#hop/${hop.id}` }, hop.view.title); }
function causeLink(cause) { return h('a', { href: `#cause/${cause.id}` }, bdi(causeTitle(cause))); }
function causeTitle(cause) {
  const name = (cause.warning || cause.exception).split('.').pop();
  return cause.message ? `${name}: ${short(cause.message)}` : name;
}

// As Python's shlex.quote does it.
function quote(word) { return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`; }
function reproduce(cell, test) {
  const words = [...M.command, '--cells', cell.id, ...(M.whole ? [] : ['--', M.ids[test]])];
  return words.map(quote).join(' ');
}

function command(text) {
  return h('p', { class: 'command' }, h('code', {}, text), h('button', { type: 'button', class: 'copy', 'data-copy': text }, 'Copy'));
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h('textarea', { 'aria-hidden': 'true' });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  say('Copied');
}

let silence;
function say(text) {
  const toast = document.getElementById('said');
  toast.textContent = text;
  toast.classList.add('shown');
  clearTimeout(silence);
  silence = setTimeout(() => { toast.classList.remove('shown'); toast.textContent = ''; }, 1800);
}

function table(heads, rows) {
  return h('div', { class: 'wide' }, h('table', {},
    h('thead', {}, h('tr', {}, heads.map((head) => h('th', { scope: 'col', class: head.startsWith('#') ? 'number' : null }, head.replace(/^#/, ''))))),
    h('tbody', {}, rows.map((row) => h('tr', {}, row.map((cell, at) => h('td', { class: heads[at].startsWith('#') ? 'number nowrap' : null }, cell)))))));
}

function pairs(rows) {
  return h('dl', { class: 'pairs' }, rows.filter(([, value]) => value !== '' && value !== null && value !== undefined && value.length !== 0)
    .map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
}

// The first of a long list, and the rest on request.
function few(items, make, limit = 12) {
  const list = h('ul', { class: 'plain' }, items.slice(0, limit).map((item) => h('li', {}, make(item))));
  const more = items.length - limit;
  if (more > 0) {
    let at = limit;
    const button = h('button', { type: 'button', onclick: () => {
      list.append(...items.slice(at, at + 200).map((item) => h('li', {}, make(item))));
      at += 200;
      if (at >= items.length) button.remove(); else button.textContent = `${(items.length - at).toLocaleString('en')} more`;
    } }, `${more.toLocaleString('en')} more`);
    return [list, button];
  }
  return list;
}

function label(text, control, name) { return h('label', { class: name }, text, control); }
function select(name, options, value, then) {
  const made = h('select', { name, onchange: (event) => then(event.target.value) }, options.map((option) =>
    option.group ? h('optgroup', { label: option.group }, option.options.map(([id, text]) => h('option', { value: id }, text)))
      : h('option', { value: option[0] }, option[1])));
  made.value = value;
  if (made.selectedIndex < 0) made.selectedIndex = 0;
  return made;
}
