// A long list of which only what is seen is in the page. A row is a test, or the head of a group.
const WIDE = 34, NARROW = 56, SPARE = 8;

class List {
  // `row` makes the content of a test's row; `columns` names its signs.
  constructor(place, { row, columns = [], label }) {
    this.make = row;
    this.closed = new Set();
    this.narrow = matchMedia('(max-width: 40rem)');
    this.narrow.addEventListener('change', () => this.rows && this.lay());
    this.current = 0;
    this.list = h('ol', { 'aria-label': label });
    this.box = h('div', { class: 'box', tabindex: '-1' }, this.list);
    this.count = h('span', {});
    const heads = h('p', { class: 'heads' }, this.count, columns.length > 0 && h('span', { class: 'signs', 'aria-hidden': 'true' }, columns.map((name) => h('span', {}, name))));
    place.replaceChildren(h('div', { class: 'table' }, heads, this.box));
    this.box.addEventListener('scroll', () => requestAnimationFrame(() => this.draw()), { passive: true });
    this.box.addEventListener('keydown', (event) => this.key(event));
    this.box.addEventListener('focusin', (event) => this.follow(event.target.closest('li')));
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  get high() { return this.narrow.matches ? NARROW : WIDE; }

  // `groups`: [{key, title, tests}]; one without a title has no head.
  show(groups, said) {
    this.groups = groups;
    this.count.textContent = said;
    this.current = 0;
    this.box.scrollTop = 0;
    this.lay();
  }

  lay() {
    this.rows = [];
    this.groups.forEach((group, at) => {
      if (group.title) this.rows.push(-1 - at);
      if (!group.title || !this.closed.has(group.key)) for (const test of group.tests) this.rows.push(test);
    });
    this.list.style.height = `${this.rows.length * this.high}px`;
    this.box.style.height = `min(65vh, 46rem, ${this.rows.length * this.high}px)`;
    this.draw(true);
  }

  draw(again = false) {
    if (!this.rows) return;
    const from = Math.max(Math.floor(this.box.scrollTop / this.high) - SPARE, 0);
    const to = Math.min(Math.ceil((this.box.scrollTop + (this.box.clientHeight || 600)) / this.high) + SPARE, this.rows.length);
    if (!again && from === this.from && to === this.to) return;
    [this.from, this.to] = [from, to];
    const held = this.list.contains(document.activeElement);
    const items = [];
    for (let at = from; at < to; at++) items.push(this.item(at));
    this.list.replaceChildren(...items);
    if (held) (this.at(this.current) ?? this.box).focus({ preventScroll: true });
  }

  item(at) {
    const row = this.rows[at];
    const inside = row < 0 ? this.head(this.groups[-1 - row]) : h('a', { href: testHref(row), tabindex: at === this.current ? '0' : '-1' }, this.make(row));
    if (row < 0) inside.tabIndex = at === this.current ? 0 : -1;
    const item = h('li', { 'data-at': at, 'aria-setsize': this.rows.length, 'aria-posinset': at + 1 }, inside);
    item.style.top = `${at * this.high}px`;
    item.style.height = `${this.high}px`;
    return item;
  }

  head(group) {
    const closed = this.closed.has(group.key);
    return h('button', { type: 'button', 'aria-expanded': String(!closed), onclick: () => this.toggle(group.key) },
      h('span', { class: 'name' }, closed ? '▸ ' : '▾ ', bdi(group.title)), h('span', { class: 'count' }, group.tests.length.toLocaleString('en')));
  }

  toggle(key) {
    if (!this.closed.delete(key)) this.closed.add(key);
    this.lay();
  }

  at(row) { return this.list.querySelector(`li[data-at="${row}"] > *`); }
  follow(item) {
    if (!item || Number(item.dataset.at) === this.current) return;
    this.at(this.current)?.setAttribute('tabindex', '-1');
    this.current = Number(item.dataset.at);
    item.firstElementChild.setAttribute('tabindex', '0');
  }

  key(event) {
    const page = Math.max(Math.floor(this.box.clientHeight / this.high) - 1, 1);
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.go(this.current + step);
  }

  go(row) {
    this.current = Math.min(Math.max(row, 0), this.rows.length - 1);
    const top = this.current * this.high, height = this.box.clientHeight;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top + this.high > this.box.scrollTop + height) this.box.scrollTop = top + this.high - height;
    this.draw(true);
    this.at(this.current)?.focus({ preventScroll: true });
  }
}
