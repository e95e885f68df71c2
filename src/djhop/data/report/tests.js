// The tests: filtered, grouped and ordered. The filter stands in the address, so that it can be sent.
const NO_FILTER = { q: '', outcome: '', cell: '', hop: '', change: '', cause: '', owner: '', group: '', order: '' };
const STATES = [['', 'any outcome'], ['bad', 'fails'], ['warn', 'passes, not with warnings as errors'], ['p', 'passed'], ['f', 'failed'], ['e', 'error'], ['c', 'crashed'], ['s', 'skipped'], ['x', 'expected to fail'], ['X', 'passed unexpectedly'], ['n', 'not run'], ['.', 'not there'], ['flaky', 'flaky']];
let tests;

function testsView(query) {
  if (!tests) {
    tests = new List(document.getElementById('tests-list'), {
      label: 'Tests', columns: M.cells.map(cellName),
      row: (test) => [h('span', { class: 'name', title: M.ids[test] }, testName(M.ids[test])), signs(test)],
    });
  }
  const wanted = { ...NO_FILTER, ...Object.fromEntries(new URLSearchParams(query)) };
  drawFilters(wanted);
  const found = filtered(wanted);
  const groups = grouped(found, wanted.group);
  const all = M.ids.length;
  const said = found.length === all ? count(all, 'test') : `${found.length.toLocaleString('en')} of ${count(all, 'test')}`;
  tests.show(groups, wanted.group ? `${said} in ${count(groups.length, 'group')}` : said);
  document.getElementById('tests-count').textContent = found.length ? '' : 'No test is like that.';
}

function ask(changes, from) {
  const query = new URLSearchParams(Object.entries({ ...from, ...changes }).filter(([, value]) => value));
  return `#tests${query.size ? `?${query}` : ''}`;
}

// The form is made once; what is wanted is put into it each time.
function drawFilters(wanted) {
  const form = document.getElementById('filters');
  if (!form.wanted) makeFilters(form);
  form.wanted = wanted;
  for (const field of form.querySelectorAll('select, input')) {
    if (field === document.activeElement && field.type === 'search' && field.value.trim() === wanted.q.trim()) continue;
    if (wanted[field.name] && field.name === 'cause' && ![...field.options].some(({ value }) => value === wanted.cause)) field.append(new Option(`cause ${wanted.cause}`, wanted.cause));
    field.value = wanted[field.name];
  }
}

function makeFilters(form) {
  const field = h('input', { name: 'q', type: 'search', placeholder: 'name, file, error …', 'aria-keyshortcuts': '/', autocomplete: 'off', spellcheck: 'false' });
  field.addEventListener('input', () => { history.replaceState(null, '', ask({ q: field.value }, form.wanted)); route(); });
  form.addEventListener('submit', (event) => { event.preventDefault(); tests.go(0); });
  const one = (text, name, options) => label(text, select(name, options, '', (value) => { location.hash = ask({ [name]: value }, form.wanted); }));
  const owners = [...new Set(M.failures.map((failure) => failure.owner))].sort();
  const verdicts = [...new Set(M.hops.map((hop) => hop.view.verdict))];
  form.replaceChildren(
    label('Search', field, 'grow'),
    one('Outcome', 'outcome', STATES),
    one('in', 'cell', [['', 'any cell'], ...M.cells.map((cell) => [cell.id, cell.id])]),
    one('Change', 'change', [['', 'any'], ['breaks', 'breaks'], ...Object.entries(CHANGE)]),
    one('on', 'hop', [['', 'any hop'], { group: 'hops by verdict', options: verdicts.map((verdict) => [verdict, verdict]) }, { group: 'hops', options: M.hops.map((hop) => [hop.id, `${hop.view.title} on ${hop.view.fixed}`]) }]),
    one('Cause', 'cause', [['', 'any cause'], ...M.causes.slice(0, 300).map((cause) => [cause.id, short(causeTitle(cause), 80)])]),
    one('Whose', 'owner', [['', 'anybody’s'], ...owners.map((owner) => [owner, owner])]),
    one('Group by', 'group', [['', 'nothing'], ['cause', 'cause'], ['module', 'module'], ['owner', 'owner'], ['series', 'series that breaks it']]),
    one('Order', 'order', [['', 'what breaks first'], ['suite', 'as in the suite'], ['slow', 'slowest first']]),
    h('button', { type: 'button', onclick: () => { location.hash = '#tests'; } }, 'Clear'),
  );
}

function filtered(wanted) {
  const masks = [outcomeMask(wanted), changeMask(wanted), causeMask(wanted.cause), ownerMask(wanted.owner)].filter(Boolean);
  const words = wanted.q.toLowerCase().split(/\s+/).filter(Boolean);
  const order = { suite: suiteOrder, slow: slowOrder }[wanted.order]?.() ?? M.order;
  const found = [];
  for (const test of order) {
    if (fits(test, masks, words)) found.push(test);
  }
  return found;
}

function fits(test, masks, words) {
  for (const mask of masks) if (!mask[test]) return false;
  for (const word of words) if (!M.hay[test].includes(word)) return false;
  return true;
}

function suiteOrder() { return M.ids.keys(); }
function slowOrder() { return (M.slow ??= sorted((test) => -Math.max(...M.cells.map((cell) => cell.ms[test] ?? 0)))); }

function masked(tests) {
  const mask = new Uint8Array(M.ids.length);
  for (const test of tests) mask[test] = 1;
  return mask;
}

// The states of each test as bits, in the order of STATES: in one cell, or in any; made once.
function bitsOf(cell) {
  if (cell.bits) return cell.bits;
  const bits = cell.bits = new Uint16Array(M.ids.length), absent = '.'.charCodeAt(0);
  const known = new Int32Array(1 << 14).fill(-1);
  for (let test = 0; test < bits.length; test++) {
    const there = test < cell.plain.length;
    const pair = ((there ? cell.plain.charCodeAt(test) : absent) << 7) | (there ? cell.strict.charCodeAt(test) : absent);
    if (known[pair] < 0) known[pair] = bitsFor(plainOf(cell, test), strictOf(cell, test));
    bits[test] = known[pair];
  }
  for (const test of cell.flaky) bits[test] = bitOf('flaky') | (bits[test] & ~bitOf('warn'));
  return bits;
}

function anyBits() {
  if (M.anyBits) return M.anyBits;
  const any = new Uint16Array(M.ids.length);
  for (const cell of M.cells) {
    const bits = bitsOf(cell);
    for (let test = 0; test < any.length; test++) any[test] |= bits[test];
  }
  return (M.anyBits = any);
}

function bitOf(state) { return 1 << STATES.findIndex(([id]) => id === state); }
function bitsFor(plain, strict) {
  const there = plain !== '.' || strict !== '.';
  const warns = there && markOf(plain, strict)[1] === 'warn';
  return bitOf(plain) | (there ? bitOf('') : 0) | (KIND[plain] === 'failed' ? bitOf('bad') : 0) | (warns ? bitOf('warn') : 0);
}

function outcomeMask({ outcome, cell }) {
  if (!outcome && !cell) return null;
  const bit = bitOf(outcome), at = M.cellAt.get(cell);
  return (at === undefined ? anyBits() : bitsOf(M.cells[at])).map((bits) => bits & bit);
}

function changeMask({ change: what, hop: wanted }) {
  if (!what && !wanted) return null;
  const hops = M.hops.filter((hop) => !wanted || hop.id === wanted || hop.view.verdict === wanted);
  return masked(hops.flatMap((hop) => (what === 'breaks' ? hop.breaking : what ? hop.changes[what] ?? [] : Object.values(hop.changes).flat())));
}

function causeMask(id) {
  return id ? failing(`cause ${id}`, (failure) => failure.cause === id, M.causes[M.causeAt.get(id)]?.tests ?? []) : null;
}

function ownerMask(owner) {
  return owner ? failing(`owner ${owner}`, (failure) => failure.owner === owner, []) : null;
}

// The tests with such a failure in any cell; kept, for the same is asked again while one types.
const kept = new Map();
function failing(name, is, known) {
  if (kept.has(name)) return kept.get(name);
  const mask = masked(known), such = M.failures.map(is);
  for (const cell of M.cells) for (const [test, failure] of cell.fail) if (such[failure]) mask[test] = 1;
  kept.set(name, mask);
  return mask;
}

function grouped(found, by) {
  if (!by) return [{ tests: found }];
  const failure = (test) => M.failures[M.first.get(test)];
  const key = {
    module: (test) => M.modules[test],
    owner: (test) => failure(test)?.owner,
    cause: (test) => failure(test)?.cause,
    series: (test) => M.cells[M.hops[M.breaksOn.get(test)]?.after]?.django,
  }[by] ?? (() => '');
  const groups = new Map();
  for (const test of found) {
    const name = key(test) ?? '';
    if (!groups.has(name)) groups.set(name, { key: name, title: groupTitle(by, name, failure(test)), tests: [] });
    groups.get(name).tests.push(test);
  }
  return [...groups.values()].sort((a, b) => (a.key === '') - (b.key === '') || b.tests.length - a.tests.length);
}

function groupTitle(by, name, failure) {
  if (name === '') return by === 'series' ? 'breaks on no hop' : 'fails nowhere';
  if (by === 'series') return `breaks on the way to Django ${name}`;
  return by === 'cause' ? `${causeTitle(failure)}${failure.place && ` (${failure.place})`}` : name;
}
