// How long cells and tests took; what got slower beyond what all tests of the two cells did.
const LEAST = 5, WORTH = 20, SPREADS = 3, LOWEST_SPREAD = 0.15;
const STAGES = ['interpreter', 'lock', 'environment', 'workspace', 'strict', 'plain', 'scoped'];

function timesView() {
  const ran = M.cells.filter((cell) => cell.ms.some(Boolean));
  const hops = M.hops.filter((hop) => M.cells[hop.before].life === 'ran' && M.cells[hop.after].life === 'ran');
  const slow = h('div', {}), slower = h('div', {});
  document.getElementById('times-result').replaceChildren(h('div', {},
    h('h3', {}, 'Seconds of each cell, by what was done'),
    table(['Cell', ...stages().map((stage) => `#${stage}`)], M.cells.map((cell) => [cellLink(cell), ...stages().map((stage) => cell.seconds[stage]?.toFixed(1) ?? '–')])),
    h('h3', {}, 'What got slower on a hop'),
    hops.length ? [label('Hop', select('slower', hops.map((hop) => [hop.id, hop.view.title]), hops[0].id, (id) => drawSlower(id, slower))), slower] : h('p', { class: 'dim' }, 'No hop has tests that ran on both sides.'),
    h('h3', {}, 'Slowest tests'),
    ran.length ? [label('in', select('slowest', ran.map((cell) => [cell.id, cell.id]), ran.at(-1).id, (id) => drawSlowest(id, slow))), slow] : h('p', { class: 'dim' }, 'No times on record.')));
  if (hops.length) drawSlower(hops[0].id, slower);
  if (ran.length) drawSlowest(ran.at(-1).id, slow);
}

function total(cell) { return Object.values(cell.seconds).reduce((a, b) => a + b, 0); }
function stages() { return [...new Set([...STAGES, ...M.cells.flatMap((cell) => Object.keys(cell.seconds))])].filter((stage) => M.cells.some((cell) => cell.seconds[stage])); }

function meter(share) {
  const name = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(name, 'svg');
  for (const [key, value] of Object.entries({ class: 'meter', viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true' })) svg.setAttribute(key, value);
  for (const [kind, width] of [['rail', 100], ['level', 100 * share]]) {
    const bar = document.createElementNS(name, 'rect');
    for (const [key, value] of Object.entries({ class: kind, width, height: 6 })) bar.setAttribute(key, value);
    svg.append(bar);
  }
  return svg;
}

function drawSlowest(id, place) {
  const cell = M.cells[M.cellAt.get(id)];
  const top = [...M.ids.keys()].filter((test) => cell.ms[test]).sort((a, b) => cell.ms[b] - cell.ms[a]).slice(0, 25);
  place.replaceChildren(table(['#Time', 'Test'], top.map((test) => [seconds(cell.ms[test]), testLink(test)])));
}

function drawSlower(id, place) {
  const hop = M.hops[M.hopAt.get(id)];
  place.replaceChildren(slowerTable(M.cells[hop.before], M.cells[hop.after], 25));
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2 : 0;
}

// Beyond noise: its change stands out of what the tests of the two cells did together.
function slower(before, after) {
  const both = [];
  for (let test = 0; test < before.ms.length; test++) {
    if (before.ms[test] >= LEAST && after.ms[test] >= LEAST && kindOf(before, test) === 'passed' && kindOf(after, test) === 'passed') both.push(test);
  }
  const grown = both.map((test) => Math.log(after.ms[test] / before.ms[test]));
  const usual = median(grown);
  const spread = Math.max(1.4826 * median(grown.map((one) => Math.abs(one - usual))), LOWEST_SPREAD);
  const found = both.filter((test, at) => grown[at] - usual > SPREADS * spread && after.ms[test] - before.ms[test] * Math.exp(usual) >= WORTH);
  return { compared: both.length, usual: Math.exp(usual), found: found.sort((a, b) => (after.ms[b] - before.ms[b]) - (after.ms[a] - before.ms[a])) };
}

function slowerTable(before, after, limit) {
  const { compared, usual, found } = slower(before, after);
  if (compared < 5) return h('p', { class: 'dim' }, 'Too few tests that pass on both sides take long enough to compare.');
  const noise = `Of ${count(compared, 'test')} of at least ${LEAST} ms that pass on both sides, the usual one took ${usual.toFixed(2)} times as long; outside of the noise around that `;
  return h('div', {}, h('p', { class: 'dim' }, noise, found.length ? `${found.length === 1 ? 'is' : 'are'} ${count(found.length, 'test')}.` : 'is none.'),
    found.length > 0 && table(['#Before', '#After', 'Test'], found.slice(0, limit).map((test) => [seconds(before.ms[test]), seconds(after.ms[test]), testLink(test)])),
    found.length > limit && h('p', { class: 'dim' }, `… and ${found.length - limit} more`));
}

function timesOf(test) {
  const times = M.cells.map((cell) => cell.ms[test] ?? 0);
  const against = (at) => {
    const before = M.cells[M.hops.find((hop) => hop.after === at && times[hop.before] && times[at])?.before];
    if (!before) return '';
    const more = times[at] - before.ms[test];
    return h('span', { class: 'dim' }, ` ${more < 0 ? '−' : '+'}${seconds(Math.abs(more))} against ${cellName(before)}`);
  };
  const most = Math.max(...times);
  if (most < LEAST) return '';
  return [h('h3', {}, 'Time'), h('div', { class: 'bars' }, M.cells.map((cell, at) => h('p', {}, h('span', {}, cell.id), meter(times[at] / most), h('span', { class: 'number' }, times[at] ? seconds(times[at]) : '–', against(at)))))];
}
