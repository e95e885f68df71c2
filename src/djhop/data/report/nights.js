// Earlier nights of a test: a sign for each, the newest at the right.
const NIGHT = {
  p: ['✓', 'good', 'passed'], w: ['!', 'warn', 'passed, not with warnings as errors'], f: ['✗', 'bad', 'failed'], e: ['✗', 'bad', 'error'],
  c: ['✗', 'bad', 'crashed'], s: ['–', 'unknown', 'skipped'], x: ['×', 'unknown', 'expected to fail'], X: ['×', 'unknown', 'passed unexpectedly'],
  '~': ['~', 'unknown', 'flaky'], '.': ['·', 'unknown', 'not there'], '?': ['?', 'unknown', 'not seen: the suite ended before it'], ' ': ['', 'unknown', 'the cell has no result'],
};

function nightsOf(test) {
  const told = M.nights?.strips.filter((one) => one.test === test) ?? [];
  if (!told.length) return null;
  return [h('h3', {}, `The last ${M.nights.started.length} nights`), told.map(({ cell, strip }) => [
    h('p', { class: 'dim' }, cellLink(M.cells[cell])),
    h('div', { class: 'strip', role: 'img', 'aria-label': inWords(strip) }, [...strip].map((letter, at) => {
      const [sign, tone, words] = NIGHT[letter] ?? NIGHT['?'];
      return h('span', { class: tone, title: `${M.nights.started[at].slice(0, 10)}: ${words}` }, sign);
    }))])];
}

function inWords(strip) {
  const tally = new Map();
  for (const letter of strip) { const words = (NIGHT[letter] ?? NIGHT['?'])[2]; tally.set(words, (tally.get(words) ?? 0) + 1); }
  return [...tally].map(([words, many]) => `${words} on ${many}`).join(', ');
}
