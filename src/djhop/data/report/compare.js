// Any two cells, test by test, with what moved between them.
let pairList;

function compareView(target) {
  const path = M.cells.filter((cell) => cell.path);
  const [first, last] = path.length > 1 ? [path[0], path.at(-1)] : [M.cells[0], M.cells.at(-1)];
  const [one, two] = (target ?? '').split('..');
  const before = M.cells[M.cellAt.get(one)] ?? first, after = M.cells[M.cellAt.get(two)] ?? last;
  const options = M.cells.map((cell) => [cell.id, `${cell.sign} ${cell.id}`]);
  const go = (a, b) => { location.hash = `#compare/${a}..${b}`; };
  document.getElementById('pair').replaceChildren(
    label('Before', select('before', options, before.id, (id) => go(id, after.id))),
    label('After', select('after', options, after.id, (id) => go(before.id, id))),
    h('button', { type: 'button', onclick: () => go(after.id, before.id) }, '⇄ Swap'));
  drawPair(before, after, document.getElementById('compare-result'));
}

function drawPair(before, after, place) {
  const found = changesOf(before, after);
  const list = h('div', {});
  place.replaceChildren(
    h('p', {}, cellLink(before), ` ${before.sign} ${before.status} → `, cellLink(after), ` ${after.sign} ${after.status}. `, verdictOf(before, after, found)),
    h('h3', {}, 'Tests'), list, h('h3', {}, 'Packages'), packagesBetween(before, after),
    h('h3', {}, 'Coverage and time'), numbersBetween(before, after));
  const groups = found ? Object.entries(CHANGE).map(([name, title]) => ({ key: name, title, tests: found[name] })).filter(({ tests }) => tests.length) : [];
  if (!groups.length) { list.append(found ? 'Every test does the same in both.' : 'There is no result to compare on one of the sides.'); return; }
  pairList = new List(list, { label: 'Tests that differ', columns: [cellName(before), cellName(after)], row: (test) => [h('span', { class: 'name', title: M.ids[test] }, testName(M.ids[test])), signs(test, [before, after])] });
  const differ = new Set(groups.flatMap(({ tests }) => tests)).size;
  pairList.show(groups, `${differ.toLocaleString('en')} of ${count(M.ids.length, 'test')} differ`);
}

function verdictOf(before, after, found) {
  const hop = M.hops.find((one) => M.cells[one.before] === before && M.cells[one.after] === after);
  if (hop) return ['This is the hop ', hopLink(hop), ': ', pill(hop.view.tone, hop.view.verdict)];
  if (!found) return 'No verdict: a side has no usable result.';
  return 'No hop of this run: compared here, test by test; ids that differ in an address count as two tests.';
}

function packagesBetween(before, after) {
  const old = new Map(before.packages), now = new Map(after.packages);
  const names = [...new Set([...old.keys(), ...now.keys()])].filter((name) => old.get(name) !== now.get(name)).sort();
  if (!before.packages.length || !after.packages.length) return h('p', { class: 'dim' }, 'One of them has no packages on record.');
  return names.length ? table(['Package', 'Before', 'After'], names.map((name) => [name, old.get(name) ?? '–', now.get(name) ?? '–'])) : h('p', {}, 'The same packages.');
}

function numbersBetween(before, after) {
  const share = (cell) => (cell.coverage === null ? '–' : `${cell.coverage.toFixed(1)} %`);
  return table(['Measure', '#Before', '#After'], [['covered', share(before), share(after)], ['seconds in all', total(before).toFixed(1), total(after).toFixed(1)]]);
}
