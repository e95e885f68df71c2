// The data, unpacked once and then only read. Tests, cells, hops and failures are known by number.
const KIND = { p: 'passed', s: 'skipped', x: 'excused', X: 'excused', f: 'failed', e: 'failed', c: 'failed', n: 'absent', '.': 'absent' };
const OUTCOME = { p: 'passed', f: 'failed', e: 'error', s: 'skipped', x: 'expected to fail', X: 'passed unexpectedly', c: 'crashed', n: 'not run', '.': 'not there' };
const BREAKING = ['broke', 'broke_differently', 'vanished', 'newly_skipped', 'new_failures'];
const CHANGE = {
  broke: 'broke', broke_differently: 'fails for another reason', vanished: 'vanished', newly_skipped: 'newly skipped',
  new_failures: 'new, and fails', newly_deprecated: 'newly deprecated', fixed: 'fixed', appeared: 'new', gone: 'gone, did not pass before',
  flaky: 'flaky', unserved: 'not judged: a service did not answer',
};
let M;

async function unpack() {
  const packed = document.getElementById('data').textContent;
  const bytes = Uint8Array.fromBase64 ? Uint8Array.fromBase64(packed) : Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  M = await new Response(stream).json();
  document.getElementById('data').textContent = '';
  derive();
}

// What every view needs is computed here, so that a filter only looks things up.
function derive() {
  M.cellAt = new Map(M.cells.map((cell, at) => [cell.id, at]));
  M.hopAt = new Map(M.hops.map((hop, at) => [hop.id, at]));
  M.causeAt = new Map(M.causes.map((cause, at) => [cause.id, at]));
  M.testAt = new Map();
  for (let test = M.ids.length - 1; test >= 0; test--) M.testAt.set(M.ids[test], test);
  M.own = new Set(M.own);
  for (const cell of M.cells) {
    cell.failOf = new Map(cell.fail);
    cell.skipOf = new Map(cell.skip);
    cell.subOf = new Map(cell.sub);
    cell.printedOf = new Map(cell.printed);
    cell.flakyOf = new Set(cell.flaky);
  }
  M.modules = M.ids.map(moduleOf);
  M.first = firstFailures();
  M.breaksOn = new Map();
  M.hops.forEach((hop, at) => {
    hop.breaking = [...new Set(BREAKING.flatMap((name) => hop.changes[name]))];
    for (const test of hop.breaking) if (!M.breaksOn.has(test)) M.breaksOn.set(test, at);
  });
  M.hay = M.ids.map(haystack);
  M.order = sorted(rankOf);
}

// "tests/test_a.py" of a node id, "app.tests.Case" of a label.
function moduleOf(id) {
  const at = id.indexOf('::');
  return at > 0 ? id.slice(0, at) : id.slice(0, Math.max(id.split('[')[0].lastIndexOf('.'), 0)) || id;
}

// Test → its failure in the first cell where it fails, else where it fails with warnings as errors.
function firstFailures() {
  const plainly = new Map(), strictly = new Map();
  for (const cell of M.cells) {
    for (const [test, failure] of cell.fail) {
      const first = kindOf(cell, test) === 'failed' ? plainly : strictly;
      if (!first.has(test)) first.set(test, failure);
    }
  }
  return new Map([...strictly, ...plainly]);
}

function haystack(id, test) {
  const failure = M.failures[M.first.get(test)];
  const more = failure ? `\n${failure.exception}\n${failure.message.slice(0, 200)}\n${failure.place}` : '';
  return (id + more).toLowerCase();
}

function plainOf(cell, test) { return cell.plain[test] ?? '.'; }
function strictOf(cell, test) { return cell.strict[test] ?? '.'; }
function kindOf(cell, test) { return KIND[plainOf(cell, test)]; }
function failureOf(cell, test) { return M.failures[cell.failOf.get(test)]; }

// What breaks comes first, then what fails or warns somewhere.
function rankOf(test) {
  if (M.breaksOn.has(test)) return 0;
  if (M.first.has(test)) return 1;
  return M.cells.some((cell) => cell.flakyOf.has(test)) ? 2 : 3;
}

function sorted(key) {
  const keys = M.ids.map((_, test) => key(test));
  return Uint32Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b] || a - b);
}

// The decision table of a single test: `compare/changes.py` has the same.
function change(before, after, same) {
  if (before.plain !== 'absent' && after.plain !== 'absent') {
    if (after.flaky || (before.flaky && after.plain !== 'failed')) return 'flaky';
    if (before.flaky) return 'broke';
  }
  switch (before.plain) {
    case 'absent': return after.plain === 'absent' ? 'same' : 'appeared';
    case 'passed': switch (after.plain) {
      case 'passed': return before.strict === 'passed' && !['passed', 'absent'].includes(after.strict) ? 'newly_deprecated' : 'same';
      case 'failed': return 'broke';
      case 'absent': return 'vanished';
      default: return 'newly_skipped';
    }
    case 'excused': return { passed: 'fixed', failed: 'broke_differently', absent: 'gone' }[after.plain] ?? 'same';
    case 'failed': return { passed: 'fixed', failed: same ? 'same' : 'broke_differently' }[after.plain] ?? 'gone';
    default: return { skipped: 'same', absent: 'gone' }[after.plain] ?? 'appeared';
  }
}

function seen(cell, test) {
  return { plain: kindOf(cell, test), strict: KIND[strictOf(cell, test)], flaky: cell.flakyOf.has(test) };
}

function sameReason(before, after, test) {
  const was = failureOf(before, test), now = failureOf(after, test);
  if (!was || !now) return plainOf(before, test) === plainOf(after, test);
  return was.root === now.root || (was.spot >= 0 && was.spot === now.spot);
}

function unserved(cell, test) {
  return kindOf(cell, test) === 'failed' && Boolean(failureOf(cell, test)?.unserved);
}

// Two cells, test by test; null where a side has no result that could be compared.
function compare(before, after) {
  const lives = `${before.life} ${after.life}`;
  const found = Object.fromEntries(Object.keys(CHANGE).map((name) => [name, []]));
  if (!['ran ran', 'ran dead', 'dead ran'].includes(lives)) return null;
  for (let test = 0; test < M.ids.length; test++) {
    const was = seen(before, test), now = seen(after, test);
    let what = change(was, now, sameReason(before, after, test));
    if (what === 'same') continue;
    if (['broke', 'broke_differently', 'appeared'].includes(what) && (unserved(before, test) || unserved(after, test))) what = 'unserved';
    found[what].push(test);
    if (what === 'appeared' && now.plain === 'failed') found.new_failures.push(test);
  }
  if (lives === 'dead ran') found.fixed = found.appeared.filter((test) => kindOf(after, test) === 'passed');
  return found;
}

// The changes between two cells: those of the run where the path or the matrix has this hop.
function changesOf(before, after) {
  const hop = M.hops.find((one) => M.cells[one.before] === before && M.cells[one.after] === after);
  if (hop) return Object.values(hop.changes).some((tests) => tests.length) ? hop.changes : compare(before, after) && hop.changes;
  return compare(before, after);
}
