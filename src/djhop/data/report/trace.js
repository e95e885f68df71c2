// Failures: what was said, and the way there; the project's frames open, the others folded.
function failureBox(failure, cells) {
  return h('section', {},
    h('p', {}, bdi(failure.exception, 'mono'), failure.warning && !failure.exception.endsWith(failure.warning) && [' ', pill('warn', failure.warning)]),
    failure.message && h('pre', { class: 'said', tabindex: '0', 'aria-label': 'Message' }, failure.message),
    pairs([
      ['in', cells.map((cell, at) => [at ? ', ' : '', cellLink(cell)])],
      ['whose', [failure.owner, failure.why && ` (${failure.why})`]],
      ['while', failure.when],
      ['place', bdi(failure.place, 'mono')], ['raised at', failure.at === failure.place ? '' : bdi(failure.at, 'mono')],
      ['cause', M.causeAt.has(failure.cause) ? h('a', { href: `#cause/${failure.cause}` }, `${failure.cause}: what else it breaks`) : ''],
    ]), cells.length > 1 && failure.frames.length > 0 && h('p', { class: 'dim' }, `The traceback of ${cells[0].id}:`), traceback(failure));
}

function traceback(failure) {
  const runs = [];
  for (const number of failure.frames) {
    const own = M.own.has(number);
    if (!runs.length || runs.at(-1).own !== own) runs.push({ own, frames: [] });
    runs.at(-1).frames.push(M.frames[number]);
  }
  if (!runs.length) return '';
  const last = runs.at(-1);
  return h('ol', { class: 'trace', 'aria-label': 'Traceback, innermost last' }, runs.map((run) => (run.own
    ? run.frames.map((frame) => h('li', { class: 'own' }, frameLine(frame)))
    : h('li', {}, h('details', { open: run === last && !runs.some(({ own }) => own) },
      h('summary', {}, `${count(run.frames.length, 'frame')} in ${whose(run.frames)}`),
      h('ol', { class: 'trace' }, run.frames.map((frame) => h('li', {}, frameLine(frame)))))))));
}

function whose(frames) {
  const tops = [...new Set(frames.map(([file]) => file.split('/')[0]).filter(Boolean))];
  return tops.slice(0, 3).join(', ') + (tops.length > 3 ? ' and others' : '');
}

function frameLine([file, line, name, source]) {
  if (!file) return '… frames left out …';
  return [bdi(`${file}:${line}`, 'mono'), ' ', h('span', { class: 'dim' }, 'in ', bdi(name)), source && h('code', {}, bdi(source.trim()))];
}

// The failures of a test, each with the cells that share it; those with warnings as errors come last.
function failuresOf(test) {
  const found = new Map();
  for (const cell of M.cells) {
    const failure = failureOf(cell, test);
    if (!failure) continue;
    const plain = kindOf(cell, test) === 'failed';
    const key = [plain, failure.cause, failure.message, failure.place].join('\n');
    if (!found.has(key)) found.set(key, { plain, failure, cells: [] });
    found.get(key).cells.push(cell);
  }
  return [...found.values()].sort((a, b) => b.plain - a.plain);
}

function usesTable(uses) {
  return table(['Place', 'What is deprecated', 'Removed in', 'Whose', '#Tests'], uses.map((use) =>
    [bdi(use.place, 'mono'), bdi(`${use.category}: ${use.message}`), use.removed || '–', use.owner, use.count || (use.when && `at ${use.when}`)]));
}

// What a test printed where it failed, once for all cells in which it is the same; and where the rest is.
function printedBy(test) {
  const failing = M.cells.filter((cell) => cell.failOf.has(test));
  const texts = new Map();
  for (const cell of failing) {
    const text = M.printed[cell.printedOf.get(test)];
    if (text) texts.set(text, [...(texts.get(text) ?? []), cell]);
  }
  const without = failing.filter((cell) => !M.printed[cell.printedOf.get(test)] && cell.passes.some((one) => one.log));
  if (!texts.size && !without.length) return '';
  return [h('h3', {}, 'What it printed'),
    [...texts].map(([text, cells]) => h('div', {}, h('p', { class: 'dim' }, 'in ', cells.map((cell, at) => [at ? ', ' : '', cellLink(cell)])), h('pre', { class: 'said printed', tabindex: '0', 'aria-label': 'What it printed' }, text))),
    without.length > 0 && h('p', { class: 'dim' }, texts.size ? 'Elsewhere nothing' : 'Nothing', ' of its own is on record; the log of the whole run may have it: ', without.slice(0, 3).map((cell, at) => [at ? ', ' : '', h('code', {}, `cells/${cell.id}/${cell.passes.findLast((one) => one.log).log}`)]))];
}
