// The panel: one cell, hop, cause or test, under an address of its own.
const PANELS = { cell: cellPanel, hop: hopPanel, cause: causePanel, test: testPanel };

function cellPanel(id) {
  const at = M.cellAt.get(id), cell = M.cells[at];
  if (!cell) return null;
  const run = M.ids.keys().filter((test) => plainOf(cell, test) !== '.' || strictOf(cell, test) !== '.');
  const tally = new Map();
  for (const test of run) { const [sign, tone, words] = mark(cell, test); const key = `${sign} ${words}`; tally.set(key, [tone, (tally.get(key)?.[1] ?? 0) + 1]); }
  return ['Cell', cell.id, [
    h('p', {}, pill(cell.tone, `${cell.sign} ${cell.status}`), ' ', cell.release, cell.path ? '' : ' · beside the path'),
    cell.reason && h('p', {}, bdi(cell.reason)), cell.hint && h('p', { class: 'remedy' }, '→ ', bdi(cell.hint)),
    cell.blockers.length > 0 && few(cell.blockers, (one) => bdi(one)),
    h('ul', { class: 'chips' }, [...tally].map(([key, [tone, many]]) => h('li', {}, h('span', { class: tone }, h('b', {}, many.toLocaleString('en')), key)))),
    pairs([
      ['tests', h('a', { href: ask({ cell: cell.id }, NO_FILTER) }, 'list them')],
      ['hops', M.hops.filter((hop) => hop.before === at || hop.after === at).map((hop, n) => [n ? ', ' : '', hopLink(hop)])],
      ['covered', cell.coverage === null ? '' : `${cell.coverage.toFixed(1)} %`],
      ['seconds', Object.entries(cell.seconds).map(([stage, s]) => `${stage} ${s.toFixed(1)}`).join(', ')],
    ]),
    command(M.command.concat('--cells', cell.id).map(quote).join(' ')),
    M.hops.filter((hop) => hop.after === at).map((hop) => againstBefore(hop, cell)),
    cell.outside.length > 0 && [h('h3', {}, 'Failed outside the tests'), cell.outside.slice(0, 50).map(([name, failure]) => [h('p', {}, h('strong', {}, bdi(name))), failureBox(M.failures[failure], [cell])])],
    cell.steps && [h('h3', {}, 'Django’s own upgrade steps'), h('p', {}, bdi(cell.steps)), few(cell.findings.filter((one) => one.level !== 'info'), finding)],
    cell.uses.length > 0 && [h('h3', {}, `Deprecated uses (${cell.uses.length})`), usesTable(cell.uses)],
    cell.passes.length > 0 && [h('h3', {}, 'Runs of the suite'), cell.passes.map((one) => h('div', {}, pairs([
      [one.mode, `${count(one.ran, 'test')} in ${one.seconds.toFixed(1)} s${one.died ? `, ended outside a test: ${one.died}` : ''}${one.running ? `, while ${one.running} ran` : ''}`], ['what it printed', one.log && h('code', {}, `cells/${cell.id}/${one.log}`)]]), one.command && command(one.command)))],
    cell.notes.length > 0 && [h('h3', {}, 'Noted'), few(cell.notes, (note) => bdi(note))],
    cell.packages.length > 0 && [h('h3', {}, `Packages (${cell.packages.length})`), table(['Package', 'Version'], cell.packages)],
  ]];
}

// What the hop to a cell changed in packages, coverage and time.
function againstBefore(hop, cell) {
  const before = M.cells[hop.before];
  const more = total(cell) - total(before);
  return [h('h3', {}, `Against ${before.id}`), h('p', {}, pill(hop.view.tone, `${hop.view.sign} ${hop.view.verdict}`), ' ', hopLink(hop), ' · ', h('a', { href: `#compare/${before.id}..${cell.id}` }, 'compare them')), pairs([
    ['moved', hop.moves.map((move, n) => [n ? ', ' : '', `${move.package} ${move.before || '–'} → ${move.after || '–'}`])],
    ['covered', before.coverage === null || cell.coverage === null ? '' : [`${before.coverage.toFixed(1)} % → ${cell.coverage.toFixed(1)} %`, hop.lost?.total > 0 && `; ${count(hop.lost.lines, 'line')} in ${count(hop.lost.total, 'file')} no longer run`]],
    ['seconds', total(before) && total(cell) ? `${total(before).toFixed(1)} → ${total(cell).toFixed(1)} (${more < 0 ? '−' : '+'}${Math.abs(more).toFixed(1)})` : ''],
  ])];
}

function finding(one) {
  return [h('strong', {}, one.id || one.step), ' ', bdi(one.about), one.about && ': ', bdi(one.text), one.hint && [' → ', bdi(one.hint)], one.place && [' ', bdi(one.place, 'mono dim')]];
}

function hopPanel(id) {
  const hop = M.hops[M.hopAt.get(id)];
  if (!hop) return null;
  const { view } = hop, before = M.cells[hop.before], after = M.cells[hop.after];
  const lists = [...view.lists, ...view.steps, ...view.crossing, ...(view.details ? [view.details] : [])];
  return ['Hop', view.title, [
    h('p', {}, pill(view.tone, `${view.sign} ${view.verdict}`), ` on ${view.fixed}`, view.on_path ? '' : ' · beside the path', view.may_fail ? ' · may fail' : ''),
    h('p', {}, bdi(view.sentence)),
    h('p', {}, cellLink(before), ` ${before.sign} ${before.count} → `, cellLink(after), ` ${after.sign} ${after.count} · `, h('a', { href: `#compare/${before.id}..${after.id}` }, 'compare them')),
    h('h3', {}, 'Tests'),
    h('ul', { class: 'chips' }, Object.entries(CHANGE).filter(([name]) => hop.changes[name].length).map(([name, title]) =>
      h('li', {}, h('a', { href: ask({ hop: hop.id, change: name, group: 'cause' }, NO_FILTER), class: BREAKING.includes(name) ? 'bad' : name === 'fixed' ? 'good' : name === 'newly_deprecated' ? 'warn' : 'unknown' }, h('b', {}, hop.changes[name].length.toLocaleString('en')), title)))),
    hop.still > 0 && h('p', { class: 'dim' }, `${count(hop.still, 'test')} fail on both sides for the same reason.`),
    hop.causes.length > 0 && [h('h3', {}, `Causes (${hop.causes.length})`), causeList(hop.causes)],
    hop.warned.length > 0 && [h('h3', {}, `Newly deprecated, causes (${hop.warned.length})`), causeList(hop.warned)],
    lists.map((list) => [h('h3', {}, list.label, list.total > 0 && h('span', { class: 'count' }, ` ${list.total.toLocaleString('en')}`)), list.items.length > 0 && few(list.items, (item) => bdi(item)), list.total > list.items.length && list.items.length > 0 && h('p', { class: 'dim' }, `… and ${(list.total - list.items.length).toLocaleString('en')} more`)]),
    hop.moves.length > 0 && [h('h3', {}, 'Packages that moved'), table(['Package', 'Before', 'After', 'Why'], hop.moves.map((move) => [h('span', {}, move.package, move.major && [' ', pill('warn', 'major')]), move.before || '–', move.after || '–', bdi(move.why)]))],
    hop.lost?.total > 0 && [h('h3', {}, 'Coverage lost'), h('p', {}, `${count(hop.lost.lines, 'line')} in ${count(hop.lost.total, 'file')} ran before, and not after.`), table(['File', '#Lost', 'Lines'], hop.lost.files.slice(0, 40).map((file) => [bdi(file.file, 'mono'), file.lost, bdi(file.lines, 'mono')]))],
    h('h3', {}, 'Time'), slowerTable(before, after, 8),
  ]];
}

function causeList(groups) {
  return few(groups, ({ id, tests: many }) => { const cause = M.causes[M.causeAt.get(id)]; return [cause ? causeLink(cause) : id, h('span', { class: 'dim' }, ` ${many ? count(many, 'test') : 'no test ran'}${cause ? ` · in ${cause.owner}` : ''}`)]; }, 20);
}

function causePanel(id) {
  const cause = M.causes[M.causeAt.get(id)];
  if (!cause) return null;
  const views = M.hops.flatMap((hop) => [...hop.view.causes, ...hop.view.deprecated].filter((view) => view.id === id).map((view) => [hop, view]));
  const sample = M.failures.filter((failure) => failure.cause === id).sort((a, b) => b.frames.length - a.frames.length)[0];
  const sampled = M.cells.filter((cell) => sample && [...cell.failOf.values(), ...cell.outside.map(([, failure]) => failure)].some((failure) => M.failures[failure] === sample));
  const facts = [...new Set(views.flatMap(([, view]) => view.remedy || []))];
  return ['Cause', causeTitle(cause), [
    h('p', {}, count(cause.tests.length, 'test'), cause.modules.length ? `, ${count(cause.modules.length, 'module')} that cannot be loaded` : '', ` · in ${cause.owner}`, cause.place && [', ', bdi(cause.place, 'mono')]),
    facts.map((fact) => h('p', { class: 'remedy' }, '→ ', bdi(fact))),
    (M.extras[id] ?? []).map((line) => h('p', {}, bdi(line))),
    pairs([
      ['breaks', cause.hops.map((at, n) => [n ? ', ' : '', hopLink(M.hops[at])])],
      ['seen in', cause.cells.map((at, n) => [n ? ', ' : '', cellLink(M.cells[at])])],
      ['tests', cause.tests.length > 0 && h('a', { href: ask({ cause: id }, NO_FILTER) }, 'list them')],
    ]),
    views.filter(([, view]) => view.reproduce).map(([hop, view]) => h('div', {}, h('p', { class: 'dim' }, `See it on ${hop.view.title}:`), command(view.reproduce))),
    sample && [h('h3', {}, 'One of its failures'), failureBox(sample, sampled)],
    cause.modules.length > 0 && [h('h3', {}, 'Modules and classes that cannot be loaded'), few(cause.modules, (one) => bdi(one, 'mono'))],
    cause.tests.length > 0 && [h('h3', {}, 'Tests'), few(cause.tests, testLink)],
  ]];
}

function testPanel(id) {
  const test = M.testAt.get(id);
  if (test === undefined) return null;
  const failing = M.cells.filter((cell) => kindOf(cell, test) === 'failed');
  const again = failing[0] ?? M.cells.find((cell) => kindOf(cell, test) !== 'absent');
  const changes = M.hops.flatMap((hop) => Object.entries(CHANGE).filter(([name]) => hop.changes[name].includes(test)).map(([, title]) => [hop, title]));
  const skips = M.cells.filter((cell) => cell.skipOf.has(test));
  const subs = [...new Set(M.cells.flatMap((cell) => cell.subOf.get(test) ?? []))];
  const uses = new Map(M.cells.flatMap((cell) => cell.uses.filter((use) => use.tests.includes(test)).map((use) => [`${use.place} ${use.message}`, use])));
  return ['Test', id, [
    h('h3', {}, 'In every cell'),
    h('ul', { class: 'chips' }, M.cells.map((cell) => { const [sign, tone, words] = mark(cell, test); return h('li', {}, h('a', { href: `#cell/${cell.id}`, class: tone, title: words, 'aria-label': `${cell.id}: ${words}` }, h('b', {}, sign), cellName(cell), h('span', { class: 'dim' }, cell.ms[test] ? seconds(cell.ms[test]) : words.split(',')[0]))); })),
    changes.length > 0 && few(changes, ([hop, title]) => [h('strong', {}, title), ' on ', hopLink(hop)]),
    again && [h('h3', {}, failing.length ? 'See it fail' : 'Run it again'), command(reproduce(again, test))],
    failuresOf(test).map(({ plain, failure, cells }) => [h('h3', {}, plain ? 'Why it fails' : 'Why it fails with warnings as errors'), failureBox(failure, cells)]),
    printedBy(test),
    nightsOf(test),
    subs.length > 0 && [h('h3', {}, 'Subtests that failed'), few(subs, (one) => bdi(one, 'mono'))],
    skips.length > 0 && [h('h3', {}, 'Why it was skipped'), few(skips, (cell) => [cellLink(cell), ': ', bdi(cell.skipOf.get(test))])],
    uses.size > 0 && [h('h3', {}, 'Deprecated uses seen in it'), usesTable([...uses.values()])],
    timesOf(test),
  ]];
}
