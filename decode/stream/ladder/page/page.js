'use strict';
// The data: rows are [µs since the start, from, to, kind, term, first index, last index, text].
const data = JSON.parse(document.getElementById('data').textContent);
const TIME = 0, FROM = 1, TO = 2, KIND = 3, TERM = 4, FIRST = 5, LAST = 6, TEXT = 7;
const byId = (id) => document.getElementById(id);
const scroll = byId('scroll'), canvas = byId('ladder'), space = byId('space'), tip = byId('tip');
const detail = byId('detail'), statusLine = byId('status'), pen = canvas.getContext('2d');
const start = Date.parse(data.start);

const HEAD = 34, GUTTER = 132, SMALL = 7, LARGEST = 40; // pixels
const view = { shown: [], row: 20, picked: -1, hidden: new Set() };

// ---- What is shown ----

// parseSpan reads "4", "3..5", "3.." or "..5"; null is no limit, undefined is nonsense.
function parseSpan(text) {
  text = text.trim();
  if (text === '') return null;
  const m = /^(\d*)(\.\.)?(\d*)$/.exec(text);
  if (!m || (!m[2] && m[1] === '')) return undefined;
  if (!m[2]) return [BigInt(m[1]), BigInt(m[1])];
  return [m[1] === '' ? 0n : BigInt(m[1]), m[3] === '' ? 2n ** 64n : BigInt(m[3])];
}

function readSpan(id) {
  const span = parseSpan(byId(id).value);
  byId(id).classList.toggle('wrong', span === undefined);
  byId(id).setAttribute('aria-invalid', String(span === undefined));
  return span || null;
}

function applyFilters() {
  const words = byId('text').value.toLowerCase().split(/\s+/).filter(Boolean);
  const term = readSpan('term'), index = readSpan('index');
  const overlaps = (span, first, last) => !span || (BigInt(last) >= span[0] && BigInt(first) <= span[1]);
  view.shown = [];
  data.rows.forEach((r, i) => {
    if (view.hidden.has(r[KIND])) return;
    if (term && !overlaps(term, r[TERM], r[TERM])) return;
    if (index && !overlaps(index, r[FIRST], r[LAST])) return;
    if (words.length) {
      const text = (members(r) + ' ' + data.kinds[r[KIND]][0] + ' ' + r[TEXT]).toLowerCase();
      if (!words.every((w) => text.includes(w))) return;
    }
    view.shown.push(i);
  });
  layout();
}

const name = (lane) => data.members[lane].name;
const members = (r) => name(r[FROM]) + '→' + name(r[TO]);

function timeOf(r, long) {
  const at = new Date(start + Math.floor(r[TIME] / 1000));
  const micros = String(((r[TIME] % 1000) + 1000) % 1000).padStart(3, '0');
  const text = at.toISOString().slice(long ? 0 : 11, 23) + micros;
  return long ? text.replace('T', ' ') + ' UTC' : text;
}

// position returns where a row of the data is among those that are shown, or where it would be.
function position(row) {
  let lo = 0, hi = view.shown.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (view.shown[mid] < row) lo = mid + 1; else hi = mid;
  }
  return lo;
}

// ---- Drawing: only what is within the window ----

function style(property) { return getComputedStyle(document.documentElement).getPropertyValue(property).trim(); }

function laneX(lane, width) {
  const n = data.members.length;
  return GUTTER + (width - GUTTER) * (lane + 0.5) / n;
}

function layout() {
  space.style.height = Math.max(0, HEAD + view.shown.length * view.row - scroll.clientHeight + 12) + 'px';
  statusText();
  draw();
}

let asked = false;
function draw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; paint(scroll.clientWidth, scroll.clientHeight); });
}

function paint(width, height) {
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = width + 'px';
    canvas.style.height = height + 'px';
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const look = {
    back: style('--back'), ink: style('--ink'), faint: style('--faint'), line: style('--line'),
    band: style('--band'), pick: style('--pick'), lead: style('--lead'), election: style('--election'),
  };
  pen.fillStyle = look.back;
  pen.fillRect(0, 0, width, height);
  const top = scroll.scrollTop;
  const lo = Math.max(0, Math.floor((top) / view.row) - 1);
  const hi = Math.min(view.shown.length, Math.ceil((top + height) / view.row) + 1);
  const y = (at) => HEAD + (at + 0.5) * view.row - top;
  const edge = (at) => HEAD + at * view.row - top;
  paintTerms(look, width, height, edge);
  paintLanes(look, width, height);
  if (view.row >= SMALL) paintLeaders(look, width, height, edge);
  paintRows(look, width, lo, hi, y);
  if (view.row < SMALL) paintLeaders(look, width, height, edge); // or rows would cover them
  paintMarks(look, width, height, y);
  paintHead(look, width);
}

// paintTerms gives every second term a background.
function paintTerms(look, width, height, edge) {
  pen.font = '11px system-ui, sans-serif';
  data.terms.forEach(([row, term], i) => {
    const from = Math.max(HEAD, edge(position(row)));
    const next = i + 1 < data.terms.length ? position(data.terms[i + 1][0]) : view.shown.length;
    const to = Math.min(height, edge(next));
    if (to <= HEAD || from >= height || to <= from) return;
    if (BigInt(term) % 2n === 1n) {
      pen.fillStyle = look.band;
      pen.fillRect(GUTTER, from, width - GUTTER, to - from);
    }
    pen.fillStyle = look.faint;
    if (to - from > 14) pen.fillText('term ' + term, GUTTER + 4, from + 12);
  });
}

function paintLanes(look, width, height) {
  data.members.forEach((_, lane) => {
    pen.fillStyle = look.line;
    pen.fillRect(laneX(lane, width) - 0.5, HEAD, 1, height);
  });
}

// paintLeaders makes the line of a member thick while it leads.
function paintLeaders(look, width, height, edge) {
  pen.fillStyle = look.lead;
  for (const [row, lane, term] of data.leaders) {
    const over = data.terms.find(([, t]) => BigInt(t) > BigInt(term));
    const from = Math.max(HEAD, edge(position(row)));
    const to = Math.min(height, edge(over ? position(over[0]) : view.shown.length));
    if (to > from) pen.fillRect(laneX(lane, width) - 2.5, from, 5, to - from);
  }
}

function paintRows(look, width, lo, hi, y) {
  const small = view.row < SMALL, texts = view.row >= 15, lanes = data.members.map((_, i) => laneX(i, width));
  let timeAt = -Infinity;
  pen.font = '11px ui-monospace, monospace';
  pen.lineWidth = 1.4;
  for (let at = lo; at < hi; at++) {
    const i = view.shown[at], r = data.rows[i], mid = y(at);
    if (i === view.picked) {
      pen.fillStyle = look.pick;
      pen.fillRect(0, mid - Math.max(view.row, 4) / 2, width, Math.max(view.row, 4));
    }
    if (mid - timeAt >= 18) {
      pen.fillStyle = look.faint;
      pen.fillText(timeOf(r), 6, mid + 4);
      timeAt = mid;
    }
    const from = lanes[r[FROM]], to = lanes[r[TO]], color = data.kinds[r[KIND]][1];
    if (small) {
      pen.fillStyle = color;
      pen.fillRect(Math.min(from, to), mid - 0.5, Math.max(3, Math.abs(to - from)), Math.max(0.75, Math.min(view.row - 1, 2)));
      continue;
    }
    arrow(from, to, mid, color);
    if (texts) label(look, r, from, to, mid, width);
  }
}

function arrow(from, to, y, color) {
  const tip = from <= to ? -7 : 7;
  pen.strokeStyle = pen.fillStyle = color;
  pen.beginPath();
  pen.moveTo(from, y);
  pen.lineTo(from === to ? to + 24 : to, y);
  pen.stroke();
  pen.beginPath();
  pen.moveTo(to, y);
  pen.lineTo(to + tip, y - 3.5);
  pen.lineTo(to + tip, y + 3.5);
  pen.fill();
}

// label writes what is to be read about a row onto its arrow, as much as fits.
function label(look, r, from, to, y, width) {
  const left = Math.min(from, to) + 12, room = from === to ? width - left - 30 : Math.abs(to - from) - 24;
  const most = Math.floor(room / 6.7);
  if (most < 4) return;
  let text = r[TEXT];
  if (text.length > most) text = text.slice(0, most - 1) + '…';
  const wide = pen.measureText(text).width, x = from === to ? left + 22 : left + (room - wide) / 2;
  pen.fillStyle = look.back;
  pen.globalAlpha = 0.85;
  pen.fillRect(x - 3, y - 7, wide + 6, 14);
  pen.globalAlpha = 1;
  pen.fillStyle = look.ink;
  pen.fillText(text, x, y + 4);
}

function paintMarks(look, width, height, y) {
  pen.font = '11px system-ui, sans-serif';
  const seen = (at) => at > HEAD - 8 && at < height + 8;
  for (const [row, lane, term, kind] of data.elections) {
    const at = y(position(row));
    if (!seen(at)) continue;
    pen.fillStyle = look.election;
    pen.beginPath();
    pen.arc(laneX(lane, width), at, kind === 'Vote' ? 5 : 3.5, 0, 7);
    pen.fill();
  }
  for (const [row, lane, term] of data.leaders) {
    const at = y(position(row));
    if (!seen(at)) continue;
    pen.fillStyle = look.lead;
    pen.fillText('leads ' + term, laneX(lane, width) + 8, at - 9);
  }
}

function paintHead(look, width) {
  pen.fillStyle = look.back;
  pen.fillRect(0, 0, width, HEAD - 4);
  pen.fillStyle = look.ink;
  pen.font = 'bold 13px system-ui, sans-serif';
  pen.textAlign = 'center';
  data.members.forEach((m, lane) => pen.fillText(m.name, laneX(lane, width), 20));
  pen.textAlign = 'left';
  pen.fillStyle = look.faint;
  pen.font = '11px system-ui, sans-serif';
  pen.fillText('UTC', 6, 20);
  pen.fillStyle = look.line;
  pen.fillRect(0, HEAD - 4, width, 1);
}

// ---- Choosing a row ----

function pick(row, move) {
  view.picked = row;
  if (row < 0) {
    detail.hidden = true;
    history.replaceState(null, '', location.pathname + location.search);
  } else {
    history.replaceState(null, '', '#m=' + (row + 1));
    if (move) reveal(position(row));
    showDetail(row);
  }
  layout();
}

function reveal(at) {
  const top = at * view.row, room = scroll.clientHeight - HEAD;
  if (top < scroll.scrollTop + view.row || top > scroll.scrollTop + room - 2 * view.row) {
    scroll.scrollTop = top - room / 2;
  }
}

function showDetail(row) {
  const r = data.rows[row], list = document.createElement('dl'), title = document.createElement('h2');
  title.textContent = data.kinds[r[KIND]][0] + ' ' + members(r);
  const fields = [
    ['number', String(row + 1)], ['time', timeOf(r, true)],
    ['from', name(r[FROM]) + ' (' + data.members[r[FROM]].id + ')'], ['to', name(r[TO]) + ' (' + data.members[r[TO]].id + ')'],
    ['term', r[TERM] ? String(r[TERM]) : ''], ['index', span(r)], ['before it', since(row)], ['says', r[TEXT]],
  ];
  for (const [key, value] of fields) {
    if (!value) continue;
    const dt = document.createElement('dt'), dd = document.createElement('dd');
    dt.textContent = key;
    dd.textContent = value;
    list.append(dt, dd);
  }
  detail.replaceChildren(title, list);
  detail.hidden = false;
}

const span = (r) => !r[FIRST] ? '' : r[FIRST] === r[LAST] ? String(r[FIRST]) : r[FIRST] + '..' + r[LAST];

// since tells how long before a row the last one between the same two was seen.
function since(row) {
  const r = data.rows[row];
  for (let i = row - 1; i >= 0 && i > row - 5000; i--) {
    const o = data.rows[i];
    if ((o[FROM] === r[FROM] && o[TO] === r[TO]) || (o[FROM] === r[TO] && o[TO] === r[FROM])) {
      return ((r[TIME] - o[TIME]) / 1000).toFixed(3) + ' ms: ' + members(o) + ' ' + data.kinds[o[KIND]][0];
    }
  }
  return '';
}

function step(by) {
  if (!view.shown.length) return;
  let at = position(Math.max(view.picked, 0));
  if (view.picked < 0) at = position(view.shown[Math.min(view.shown.length - 1, Math.floor(scroll.scrollTop / view.row))]);
  else at += by > 0 && view.shown[at] !== view.picked ? by - 1 : by;
  pick(view.shown[Math.max(0, Math.min(view.shown.length - 1, at))], true);
}

function jump(by) {
  const rows = [...data.elections, ...data.leaders].map((m) => m[0]).sort((a, b) => a - b);
  const here = view.picked >= 0 ? view.picked : view.shown[Math.floor(scroll.scrollTop / view.row)] ?? 0;
  const next = by > 0 ? rows.find((r) => r > here) : rows.findLast((r) => r < here);
  if (next !== undefined) pick(next, true);
}

function rowAt(event) {
  const y = event.clientY - canvas.getBoundingClientRect().top;
  if (y < HEAD) return -1;
  return view.shown[Math.floor((y - HEAD + scroll.scrollTop) / view.row)] ?? -1;
}

function zoom(factor, around) {
  const room = around ?? (scroll.clientHeight - HEAD) / 2, at = (scroll.scrollTop + room) / view.row;
  const least = Math.min(20, Math.max(0.01, (scroll.clientHeight - HEAD - 12) / Math.max(1, view.shown.length)));
  const most = Math.min(LARGEST, 15e6 / Math.max(1, view.shown.length)); // what browsers can scroll
  view.row = Math.max(Math.min(least, most), Math.min(most, view.row * factor));
  layout();
  scroll.scrollTop = at * view.row - room;
  draw();
}

function statusText() {
  const all = data.rows.length, n = view.shown.length;
  statusLine.textContent = (n === all ? `${all} events` : `${n} of ${all} events`) +
    (view.picked >= 0 ? `, chosen: ${timeOf(data.rows[view.picked])} ${members(data.rows[view.picked])} ${data.rows[view.picked][TEXT]}` : '');
}

// ---- Events of the page ----

function kindButtons() {
  const counts = data.kinds.map(() => 0);
  for (const r of data.rows) counts[r[KIND]]++;
  data.kinds.forEach(([kind, color], i) => {
    const b = document.createElement('button');
    b.type = 'button';
    b.style.setProperty('--kind', color);
    b.textContent = kind + ' ' + counts[i];
    b.setAttribute('aria-pressed', 'true');
    b.addEventListener('click', () => {
      if (view.hidden.delete(i)) b.setAttribute('aria-pressed', 'true');
      else { view.hidden.add(i); b.setAttribute('aria-pressed', 'false'); }
      applyFilters();
    });
    byId('kinds').append(b);
  });
}

const keys = {
  ArrowDown: () => step(1), j: () => step(1), ArrowUp: () => step(-1), k: () => step(-1),
  Home: () => view.shown.length && pick(view.shown[0], true),
  End: () => view.shown.length && pick(view.shown[view.shown.length - 1], true),
  '+': () => zoom(1.4), '=': () => zoom(1.4), '-': () => zoom(1 / 1.4), 0: () => zoom(0),
  n: () => jump(1), p: () => jump(-1), '/': () => byId('text').focus(), Escape: () => pick(-1), '?': () => byId('help').showModal(),
};

document.addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || byId('help').open) return;
  const typing = e.target.tagName === 'INPUT';
  if (typing && e.key === 'Escape') { scroll.focus(); return; }
  if (typing || !keys[e.key] || (e.target.tagName === 'BUTTON' && e.key.length > 1 && e.key !== 'Escape')) return;
  e.preventDefault();
  keys[e.key]();
});
scroll.addEventListener('wheel', (e) => {
  if (!e.ctrlKey && !e.metaKey) return;
  e.preventDefault();
  zoom(Math.exp(-e.deltaY / 300), e.clientY - canvas.getBoundingClientRect().top - HEAD);
}, { passive: false });
scroll.addEventListener('scroll', draw);
canvas.addEventListener('click', (e) => { scroll.focus(); pick(rowAt(e), false); });
canvas.addEventListener('mousemove', (e) => {
  const row = rowAt(e);
  tip.hidden = row < 0;
  if (row < 0) return;
  const r = data.rows[row];
  tip.textContent = timeOf(r) + ' ' + members(r) + ' ' + r[TEXT];
  tip.style.left = Math.min(e.clientX + 14, window.innerWidth - tip.offsetWidth - 8) + 'px';
  tip.style.top = Math.min(e.clientY + 16, window.innerHeight - tip.offsetHeight - 8) + 'px';
});
canvas.addEventListener('mouseleave', () => { tip.hidden = true; });
byId('filters').addEventListener('input', applyFilters);
byId('filters').addEventListener('submit', (e) => e.preventDefault());
byId('in').addEventListener('click', () => zoom(1.4));
byId('out').addEventListener('click', () => zoom(1 / 1.4));
byId('fit').addEventListener('click', () => zoom(0));
byId('next').addEventListener('click', () => jump(1));
byId('previous').addEventListener('click', () => jump(-1));
byId('keys').addEventListener('click', () => byId('help').showModal());
new ResizeObserver(layout).observe(scroll);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
window.addEventListener('beforeprint', () => {
  document.documentElement.classList.add('printing'); // light, as paper is
  paint(1000, 1300);
});
window.addEventListener('afterprint', () => { document.documentElement.classList.remove('printing'); draw(); });
window.addEventListener('hashchange', follow);

// follow chooses the row that the URL's fragment names: #m=NUMBER, or #t=TIME as the first column has it.
function follow() {
  const m = /^#m=(\d+)$/.exec(location.hash), t = /^#t=([\d:.]+)$/.exec(location.hash);
  let row = m ? Number(m[1]) - 1 : -1;
  if (t) row = data.rows.findIndex((r) => timeOf(r) >= t[1]);
  if (row >= 0 && row < data.rows.length) pick(row, true);
}

kindButtons();
byId('about').textContent = data.rows.length
  ? `${data.members.length} members, ${timeOf(data.rows[0], true)} to ${timeOf(data.rows[data.rows.length - 1])}` : 'nothing to show';
applyFilters();
follow();
