// The snippet in a real browser, on pages of other origins than the service's: what is sent, stored and handed over.
// SNIPPET=path/to/t.js tries another snippet than the one built in.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { minified, SERVED } from './minify.mjs';
import { pause, startShop, until } from './shop.mjs';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const LAUNCH = { executablePath: process.env.CHROMIUM || '/usr/bin/chromium' };
// Without the word that marks a bot.
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
const UUID = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const FAR = 'tributary.example'; // the service on a site of its own; track.shop.example is the shop's

const at = (host, path = '/') => `http://${host}${path}`;
let shop, browser, context, wrong, expected;

before(async () => {
  shop = await startShop();
  browser = await chromium.launch({ ...LAUNCH, args: [...FLAGS, `--host-resolver-rules=${shop.names}`] });
}, { timeout: 120_000 });

after(async () => {
  await browser?.close();
  await shop?.stop();
});

beforeEach(async () => {
  wrong = [];
  expected = /net::ERR_|status of (429|503)/;
  context = await visitor();
});

afterEach(async () => {
  await context.close();
  shop.wire.reset();
  shop.pages.clear();
  shop.asked.length = 0;
  for (const name of Object.keys(shop.usual)) delete shop.usual[name];
  assert.deepEqual(wrong, [], 'the page saw no error');
});

/** A fresh browser of somebody; every error a page sees is kept. */
async function visitor() {
  const fresh = await browser.newContext({ userAgent: AGENT });
  await fresh.addInitScript(() => {
    globalThis.breaches = [];
    document.addEventListener('securitypolicyviolation', (event) => globalThis.breaches.push(event.violatedDirective));
    addEventListener('unhandledrejection', (event) => console.error(`unhandled: ${event.reason}`));
  });
  watch(fresh);
  return fresh;
}

function watch(fresh) {
  fresh.on('weberror', (error) => wrong.push(String(error.error())));
  fresh.on('console', (message) => { if (message.type() === 'error' && !expected.test(message.text())) wrong.push(message.text()); });
}

const { events, sent, answered } = {
  events: () => shop.wire.events,
  /** Waits for so many events, and that no more come. */
  sent: async (count, quietMs = 300) => {
    await until(`${count} events came`, () => shop.wire.events.length >= count);
    await pause(quietMs);
    assert.deepEqual(shop.wire.events.map((e) => [e.method, e.type]).slice(count), [], 'no more than these');
    return shop.wire.events;
  },
  answered: () => until('all is answered', () => shop.wire.events.every((e) => e.status === 202)),
};

async function open(address) {
  const page = await context.newPage();
  await page.goto(address);
  return page;
}

/** Opens a page and waits for its visit. */
async function land(address) {
  const before = events().length;
  const page = await open(address);
  await until('the visit came', () => events().length > before);
  await answered();
  return page;
}

const loaded = (page) => page.waitForFunction(() => globalThis.trb?.click);
const stored = (page) => page.evaluate(() => ({ ...localStorage }));
const cookies = async () => (await context.cookies()).filter((c) => c.name === 'trb_vid');
const kept = (page) => page.evaluate(() => (localStorage.trb ?? '').split('.')[2] ?? '');

test('the served snippet is made of its source', async () => {
  const served = await readFile(SERVED, 'utf8');
  assert.equal(served, await minified(), 'run `npm run minify` in tests/browser, and build');
  if (!process.env.SNIPPET) assert.equal(await (await fetch(`${shop.service.url}/t.js`)).text(), served, 'the binary is of this source');
  assert.doesNotMatch(served, /\beval\b|new Function|document\.write/);
  const size = gzipSync(served, { level: 9 }).length;
  console.log(`t.js: ${size} bytes gzip`);
  assert.ok(size <= 3_072, `${size} bytes gzip, of at most 3,072`);
});

test('a first visit tells address and referrer, without a preflight', async () => {
  shop.pages.set('blog.example/post', { raw: `<a href="${at('shop.example', '/shoes?utm_source=blog#top')}">shoes</a>`, headers: { 'content-type': 'text/html', 'referrer-policy': 'unsafe-url' } });
  const page = await open(at('blog.example', '/post'));
  await page.click('a');
  const [visit] = await sent(1);
  assert.equal(visit.method, 'POST');
  assert.equal(visit.headers['content-type'], 'text/plain;charset=UTF-8');
  assert.equal(visit.headers.origin, at('shop.example', ''));
  assert.deepEqual([visit.type, visit.url, visit.ref], ['visit', at('shop.example', '/shoes?utm_source=blog#top'), at('blog.example', '/post')]);
  assert.match(visit.id, UUID);
  assert.equal(visit.status, 202);
  const { touches } = await shop.order({ visitor_id: await kept(page) });
  assert.deepEqual(touches.map((t) => [t.kind, t.source]), [['visit', 'blog']]);
});

test('on the shop’s own site the service keeps the visitor in a cookie that scripts cannot read', async () => {
  const page = await land(at('shop.example'));
  assert.equal(events()[0].visitor, undefined, 'the service chooses');
  const [cookie] = await cookies();
  assert.equal(cookie.domain, 'track.shop.example');
  assert.equal(cookie.httpOnly, true);
  assert.match(cookie.value, UUID);
  assert.ok(cookie.expires > Date.now() / 1000 + 399 * 86_400);
  assert.equal(await kept(page), cookie.value);
  assert.equal(await page.evaluate(() => document.cookie), '');
  // A browser that forgets what scripts have stored knows the visitor by the cookie.
  await page.evaluate(() => localStorage.clear());
  await page.goto(at('shop.example', '/later'));
  await sent(2);
  assert.match(events()[1].headers.cookie, new RegExp(cookie.value));
  assert.equal(await kept(page), cookie.value);
});

test('on another site the page keeps the visitor itself, from its first event on', async () => {
  shop.usual.from = FAR;
  const page = await land(at('shop.example'));
  const visitor = events()[0].visitor;
  assert.match(visitor, UUID);
  assert.equal(await kept(page), visitor);
  await page.goto(at('shop.example', '/shoes'));
  await sent(2);
  assert.equal(events()[1].visitor, visitor);
  assert.equal(events()[1].headers.cookie, undefined);
});

test('a click comes with its id, which leaves the address, is kept, and is owed to the partner', async () => {
  for (const from of ['track.shop.example', FAR]) {
    shop.usual.from = from;
    const page = await open(at(from, '/r/anna?sub1=x'));
    await sent(1);
    const [visit] = events();
    assert.equal(page.url(), at('shop.example', '/landing?colour=red&sub1=x'));
    const click = new URL(visit.url).searchParams.get('trb_click');
    assert.match(click, UUID);
    assert.equal(visit.click, click);
    await page.evaluate(() => location.assign('/basket'));
    await sent(2);
    assert.equal(events()[1].click, click);
    const ids = await page.evaluate(() => ({ click: trb.click(), visitor: trb.visitor() }));
    assert.equal(ids.click, click);
    const { partner, touches } = await shop.order({ visitor_id: ids.visitor });
    assert.equal(partner, shop.partner, from);
    assert.deepEqual(touches.map((t) => t.kind), ['click']);
    await context.close();
    context = await visitor();
    shop.wire.reset();
  }
});

test('pages that change their address without loading are visits, once each', async () => {
  const page = await land(at('shop.example', '/a?x=1'));
  const steps = [
    [() => history.pushState({ page: 2 }, '', '/b'), '/b', '/a?x=1'],
    [() => history.pushState(null, '', '/b')],
    [() => history.replaceState(null, '', '/b#part')],
    [() => { location.hash = 'other'; }],
    [() => history.replaceState(null, '', '/b?y=2'), '/b?y=2', '/b'],
    [() => history.back(), '/b#part', '/b?y=2'],
    [() => history.back()],
  ];
  for (const [step, path, ref] of steps) {
    const count = events().length;
    await page.evaluate(step);
    if (!path) {
      await pause(150);
      assert.equal(events().length, count, String(step));
      continue;
    }
    await until(`${step} came`, () => events().length > count, 3_000);
    const visit = events().at(-1);
    assert.deepEqual([visit.type, visit.url.split('#')[0], visit.ref.split('#')[0]], ['visit', at('shop.example', path.split('#')[0]), at('shop.example', ref)], String(step));
    await answered();
  }
  assert.equal(new Set(events().map((e) => e.visitor ?? e.cookie)).size <= 2, true);
  assert.equal(await page.evaluate(() => { history.pushState({ own: 7 }, '', '/c'); return history.state.own; }), 7);
  assert.equal(await page.evaluate(() => { try { history.pushState(null, '', 'https://elsewhere.example/'); } catch (error) { return error.name; } }), 'SecurityError', 'the page’s own error stays its own');
});

test('calls made before and after loading arrive, the visit first', async () => {
  shop.usual.head = `<script>
    window.trb = window.trb || function () { (trb.q = trb.q || []).push(arguments); };
    trb('lead', 'signup', { plan: 'pro' }); trb('identify', 'customer-1');
  </script>`;
  const page = await land(at('shop.example', '/join?utm_source=news&utm_medium=email'));
  await page.evaluate(() => {
    trb('event', 'video', [1, 'x']);
    trb('order', 'A-1', { total: '10.00' });
    trb('identify', 42);
    const round = {};
    round.round = round;
    trb('event', 'odd', round);
    trb('event', 'long', 'x'.repeat(70_000));
    for (const nonsense of [[], ['nothing'], ['identify'], ['identify', null], [null, {}], [Symbol('x')]]) trb(...nonsense);
  });
  await sent(8);
  await answered();
  const brief = events().map(({ type, name, value, customer }) => [type, name, value, customer]);
  assert.deepEqual(brief, [
    ['visit', undefined, undefined, undefined],
    ['lead', 'signup', { plan: 'pro' }, undefined],
    ['identify', undefined, undefined, 'customer-1'],
    ['event', 'video', [1, 'x'], undefined],
    ['order', 'A-1', { total: '10.00' }, undefined],
    ['identify', undefined, undefined, '42'],
    ['event', 'odd', undefined, undefined],
    ['event', 'long', undefined, undefined],
  ]);
  const visitor = await kept(page);
  assert.deepEqual(events().slice(1).map((e) => e.visitor), Array(7).fill(visitor));
  assert.equal(new Set(events().map((e) => e.id)).size, 8);
  const { touches } = await shop.order({ customer: { id: 'customer-1' } });
  assert.deepEqual(touches.map((t) => t.source), ['news'], 'the customer is this visitor');
});

test('without consent nothing is kept; the click travels in the address; consent given later works', async () => {
  shop.usual.attributes = 'data-consent="denied"';
  const page = await open(at('track.shop.example', '/r/anna?consent=denied'));
  await sent(1);
  const [visit] = events();
  assert.deepEqual([visit.consent, visit.visitor, visit.cookie, visit.headers.cookie], ['denied', undefined, '', undefined]);
  assert.match(visit.click, UUID, 'a purchase in this visit is owed to the partner');
  assert.match(page.url(), /trb_click=/);
  await page.evaluate(() => trb('lead', 'signup'));
  await sent(2);
  assert.deepEqual([events()[1].consent, events()[1].visitor, events()[1].click], ['denied', undefined, visit.click]);
  assert.deepEqual([await stored(page), await cookies()], [{}, []]);
  assert.equal(await page.evaluate(() => trb.visitor()), '');

  await page.evaluate(() => trb('consent', 'granted'));
  await sent(3);
  await answered();
  const again = events()[2];
  assert.deepEqual([again.type, again.consent, again.url, again.click], ['visit', 'granted', visit.url, visit.click], 'the landing again, now with a visitor');
  assert.notEqual(again.id, visit.id);
  assert.doesNotMatch(page.url(), /trb_click/);
  const [cookie] = await cookies();
  assert.equal(await kept(page), cookie.value);
  // The choice outlives the page, whatever its start value says.
  await page.goto(at('shop.example', '/later'));
  await sent(4);
  assert.deepEqual([events()[3].consent, events()[3].visitor, events()[3].click], ['granted', cookie.value, visit.click]);
  assert.equal((await shop.order({ visitor_id: cookie.value })).partner, shop.partner);
});

test('consent taken back forgets everything but the answer', async () => {
  const page = await land(at('shop.example', '/?trb_click=0192f0c0-0000-7000-8000-000000000001'));
  await until('a visitor is kept', async () => await kept(page) !== '');
  await page.evaluate(() => { trb('consent', 'denied'); trb('event', 'after'); });
  await sent(2);
  assert.deepEqual([events()[1].consent, events()[1].visitor, events()[1].headers.cookie], ['denied', undefined, undefined]);
  assert.deepEqual(await stored(page), { trb: 'denied' });
  await page.goto(at('shop.example', '/next'));
  await sent(3);
  assert.deepEqual([events()[2].consent, events()[2].visitor, events()[2].click, events()[2].headers.cookie], ['denied', undefined, undefined, undefined]);
  assert.deepEqual(await stored(page), { trb: 'denied' });
});

test('what is stored is forgotten after 400 days, and under a start value that denies', async () => {
  shop.usual.from = FAR;
  const id = '0192f0c0-0000-7000-8000-00000000000b';
  const days = (count) => Date.now() - count * 86_400_000;
  for (const [cell, attributes, visitor] of [
    [`.${days(399)}.${id}.`, '', id], [`.${days(401)}.${id}.`, '', undefined],
    [`.${days(1)}.${id}.`, 'data-consent="denied"', undefined], [`granted.${days(1)}.${id}.`, 'data-consent="denied"', id],
  ]) {
    shop.usual.attributes = attributes;
    shop.pages.set('shop.example/bare', { raw: 'bare' });
    const page = await open(at('shop.example', '/bare'));
    await page.evaluate((text) => { localStorage.trb = text; }, cell);
    await page.goto(at('shop.example'));
    await sent(1);
    const [visit] = events();
    assert.equal(visit.visitor === id, visitor === id, `${cell} ${attributes}`);
    assert.equal((await stored(page)).trb === undefined, visit.consent === 'denied');
    shop.wire.reset();
    await page.close();
  }
});

test('a consent that is denied before loading counts for the first visit too', async () => {
  shop.usual.head = '<script>window.trb = function () { (trb.q = trb.q || []).push(arguments); }; trb("lead", "early"); trb("consent", "denied");</script>';
  await land(at('shop.example'));
  await sent(2);
  assert.deepEqual(events().map((e) => [e.type, e.consent, e.visitor]), [['visit', 'denied', undefined], ['lead', 'denied', undefined]]);
  assert.deepEqual(await cookies(), []);
});

test('Global Privacy Control is a denial that no call lifts', async () => {
  await context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true }));
  const page = await land(at('shop.example'));
  await page.evaluate(() => { trb('consent', 'granted'); trb('event', 'after'); });
  await sent(2);
  assert.deepEqual(events().map((e) => [e.consent, e.visitor, e.headers.cookie]), Array(2).fill(['denied', undefined, undefined]));
  assert.deepEqual([await stored(page), await cookies()], [{}, []]);
});

test('with storage and cookies blocked everything is sent, by one visitor to the page', async () => {
  await context.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) {
      Object.defineProperty(window, name, { get() { throw new DOMException('blocked', 'SecurityError'); } });
    }
    Object.defineProperty(Document.prototype, 'cookie', { get() { throw new DOMException('blocked', 'SecurityError'); }, set() { throw new DOMException('blocked', 'SecurityError'); } });
  });
  for (const from of ['track.shop.example', FAR]) {
    shop.usual.from = from;
    const page = await land(at('shop.example', '/?trb_click=0192f0c0-0000-7000-8000-000000000002'));
    await context.clearCookies();
    await page.evaluate(() => { trb('lead', 'signup'); history.pushState(null, '', '/b'); });
    await sent(3);
    await answered();
    const visitor = await page.evaluate(() => trb.visitor());
    assert.match(visitor, UUID);
    assert.deepEqual(events().slice(1).map((e) => [e.visitor, e.click]), Array(2).fill([visitor, '0192f0c0-0000-7000-8000-000000000002']), from);
    await page.evaluate(() => { trb('consent', 'denied'); trb('event', 'x'); });
    await sent(4);
    assert.deepEqual([events()[3].consent, events()[3].visitor], ['denied', undefined]);
    await page.close();
    shop.wire.reset();
  }
});

test('a browser set to block all site data loses nothing', async () => {
  const profile = await mkdtemp(join(tmpdir(), 'tributary-profile-'));
  await mkdir(join(profile, 'Default'));
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify({ profile: { default_content_setting_values: { cookies: 2 } } }));
  const closed = await chromium.launchPersistentContext(profile, { ...LAUNCH, args: [...FLAGS, `--host-resolver-rules=${shop.names}`], userAgent: AGENT });
  try {
    watch(closed);
    const page = await closed.newPage();
    await page.goto(at('shop.example', '/?trb_click=0192f0c0-0000-7000-8000-000000000006'));
    await sent(1);
    assert.equal(await page.evaluate(() => { try { return typeof localStorage; } catch (error) { return error.name; } }), 'SecurityError');
    await page.evaluate(() => { trb('lead', 'signup'); history.pushState(null, '', '/b'); });
    await sent(3);
    assert.deepEqual(events().map((e) => e.headers.cookie), Array(3).fill(undefined));
    const visitor = await page.evaluate(() => trb.visitor());
    assert.match(visitor, UUID);
    assert.deepEqual(events().slice(1).map((e) => [e.visitor, e.click]), Array(2).fill([visitor, '0192f0c0-0000-7000-8000-000000000006']));
  } finally {
    await closed.close();
    await rm(profile, { recursive: true, force: true });
  }
});

test('a browser that refuses to write storage still sends', async () => {
  await context.addInitScript(() => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; Object.defineProperty(window, 'localStorage', { value: new Proxy({}, { set() { throw new DOMException('full', 'QuotaExceededError'); } }) }); });
  const page = await land(at('shop.example'));
  await page.evaluate(() => trb('lead', 'signup'));
  await sent(2);
  assert.match(events()[1].visitor, UUID);
});

const HOSTS = 'data-hosts="shop.example, pay.shop2.example"';
const linkTo = (host) => `<a id="to" href="${at(host, '/pay?sum=%D1%8F+1&a=b#form')}">pay</a>`;

for (const [how, go] of Object.entries({
  click: (page) => page.click('#to'),
  'middle click': (page) => page.click('#to', { button: 'middle' }),
  keyboard: (page) => page.press('#to', 'Enter'),
})) {
  test(`the shop’s other host is handed the visitor and the click: ${how}`, async () => {
    Object.assign(shop.usual, { attributes: HOSTS, from: FAR, body: linkTo('pay.shop2.example') });
    const page = await land(at('shop.example', '/?trb_click=0192f0c0-0000-7000-8000-000000000003'));
    const { visitor } = events()[0];
    const other = how === 'middle click' ? context.waitForEvent('page') : page;
    await go(page);
    const address = new URL(await until('the other host is asked', () => shop.asked.find((url) => url.includes('/pay?'))));
    assert.match(address.search, /^\?sum=%D1%8F\+1&a=b&trb_x=[\w.-]+$/, 'one parameter, the rest as it was');
    await sent(2);
    const there = await other;
    assert.deepEqual([events()[1].visitor, events()[1].click], [visitor, '0192f0c0-0000-7000-8000-000000000003']);
    assert.equal(there.url(), at('pay.shop2.example', '/pay?sum=%D1%8F+1&a=b#form'), 'gone from the address');
    assert.doesNotMatch(JSON.stringify(events().map((e) => [e.url, e.ref])), /trb_x/);
    assert.equal(await kept(there), visitor);
    if (there !== page) assert.doesNotMatch(await page.getAttribute('#to', 'href'), /trb_x/, 'a link copied later carries nothing');
  });
}

test('a form that asks is handed over too; one that posts is left alone', async () => {
  const form = (method) => `<form id="${method}" method="${method}" action="${at('pay.shop2.example', '/pay')}"><input name="sum" value="1"><button>pay</button></form>`;
  Object.assign(shop.usual, { attributes: HOSTS, from: FAR, body: form('get') + form('post') });
  const page = await land(at('shop.example'));
  const { visitor } = events()[0];
  await page.click('#get button');
  await sent(2);
  assert.equal(events()[1].visitor, visitor);
  assert.equal(page.url(), at('pay.shop2.example', '/pay?sum=1'));
  await page.goto(at('shop.example', '/again'));
  await sent(3);
  const [posted] = await Promise.all([context.waitForEvent('request', (r) => r.method() === 'POST' && r.url().includes('/pay')), page.click('#post button')]);
  assert.equal(posted.postData(), 'sum=1');
});

test('a hand-over that is old, of the future, broken or unasked for is ignored, and leaves the address', async () => {
  shop.usual.from = FAR;
  const now = Date.now();
  const id = '0192f0c0-0000-7000-8000-00000000000a';
  const cases = [
    [HOSTS, now - 119_000, id], [HOSTS, now - 121_000, undefined], [HOSTS, now + 200_000, undefined], [HOSTS, 'x', undefined],
    [HOSTS, '', undefined], ['', now, undefined], [`${HOSTS} data-consent="denied"`, now, undefined],
  ];
  for (const [attributes, time, expected] of cases) {
    shop.usual.attributes = attributes;
    const page = await land(at('shop.example', `/pay?a=1&trb_x=${time}.${id}.${id}&b=2`));
    const visit = events().at(-1);
    assert.equal(visit.visitor === id, expected === id, `${attributes} ${time - now}`);
    assert.equal(visit.click, expected);
    assert.equal(page.url(), at('shop.example', '/pay?a=1&b=2'));
    await context.close();
    context = await visitor();
  }
});

test('hosts that are not listed, and the own one, are handed nothing; nor is any without consent', async () => {
  shop.usual.from = FAR;
  const cases = [
    [HOSTS, 'other.example'], [HOSTS, 'evil.pay.shop2.example'], [HOSTS, 'shop.example'], ['', 'pay.shop2.example'],
    [`${HOSTS} data-consent="denied"`, 'pay.shop2.example'],
  ];
  for (const [attributes, host] of cases) {
    Object.assign(shop.usual, { attributes, body: linkTo(host) });
    const page = await land(at('shop.example', '/?trb_click=0192f0c0-0000-7000-8000-000000000004'));
    await page.click('#to');
    const address = await until('the other host is asked', () => shop.asked.find((url) => url.includes('/pay?')));
    shop.asked.length = 0;
    assert.doesNotMatch(address, /trb_x/, `${attributes} ${host}`);
    await context.close();
    context = await visitor();
  }
});

test('what the service refused or missed is sent again, with the same id, and counts once', { timeout: 40_000 }, async () => {
  let tries = 0;
  const faults = ['cut', 503, 429];
  shop.wire.breaks = () => faults[tries++] ?? null;
  const page = await open(at('shop.example', '/?utm_source=retry'));
  await until('the fourth try came', () => events().length >= 4, 20_000);
  await pause(300);
  assert.equal(events().length, 4);
  assert.equal(new Set(events().map((e) => e.id)).size, 1);
  const { touches } = await shop.order({ visitor_id: await kept(page) });
  assert.deepEqual(touches.map((t) => t.source), ['retry']);
});

test('an answer that was lost on the way does not count a visit twice', async () => {
  shop.usual.from = FAR;
  let lost = 0;
  shop.wire.loses = () => { lost += 1; return lost === 1; };
  const page = await open(at('shop.example', '/?utm_source=lost'));
  await sent(2, 1_500);
  assert.deepEqual([events()[0].status, events()[1].status, events()[0].id], [202, 202, events()[1].id]);
  const { touches } = await shop.order({ visitor_id: await kept(page) });
  assert.deepEqual(touches.map((t) => t.source), ['lost']);
});

test('a service that stays away is not asked for ever', async () => {
  await context.addInitScript(() => {
    const later = setTimeout;
    globalThis.pauses = [];
    globalThis.setTimeout = (act, ms) => { if (ms >= 1_000) globalThis.pauses.push(ms); return later(act, ms / 100); };
  });
  shop.wire.breaks = () => 'cut';
  const page = await open(at('shop.example'));
  await sent(7, 1_000);
  assert.deepEqual(await page.evaluate(() => globalThis.pauses), [1_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
  shop.wire.breaks = () => null;
  await page.evaluate(() => trb('event', 'back'));
  await sent(9);
  assert.deepEqual(events().slice(7).map((e) => [e.type, e.status]), [['visit', 202], ['event', 202]], 'the next event takes along what waited');
});

test('what waits when the page is left goes by beacon', async () => {
  shop.usual.from = FAR;
  shop.wire.breaks = () => 503;
  const page = await open(at('shop.example', '/?utm_source=left'));
  await sent(1, 100);
  await page.evaluate(() => trb('lead', 'signup'));
  shop.wire.breaks = () => null;
  await page.goto('about:blank');
  await sent(3);
  const [first, ...beacons] = events();
  assert.deepEqual(beacons.map((e) => [e.type, e.status]).sort(), [['lead', 202], ['visit', 202]]);
  assert.equal(beacons.find((e) => e.type === 'visit').id, first.id);
  assert.deepEqual(beacons.map((e) => e.visitor), Array(2).fill(first.visitor));
  const { touches } = await shop.order({ visitor_id: first.visitor });
  assert.deepEqual(touches.map((t) => t.source), ['left']);
});

test('a call on the way out arrives', async () => {
  const page = await land(at('shop.example'));
  await page.evaluate((away) => {
    document.body.innerHTML = `<a href="${away}">away</a>`;
    document.querySelector('a').onclick = () => { for (const name of ['one', 'two', 'three']) trb('event', name); };
  }, at('other.example', '/elsewhere'));
  shop.pages.set('other.example/elsewhere', { raw: 'elsewhere' });
  await page.click('a');
  await sent(4);
  assert.deepEqual(events().slice(1).map((e) => e.name).sort(), ['one', 'three', 'two']);
});

test('a strict content security policy that allows the service is enough', async () => {
  const service = at('track.shop.example', '');
  shop.usual.headers = { 'content-security-policy': `default-src 'none'; script-src ${service}; connect-src ${service}; require-trusted-types-for 'script'; form-action 'self'` };
  Object.assign(shop.usual, { attributes: HOSTS, body: linkTo('pay.shop2.example') });
  const page = await land(at('shop.example', '/?trb_click=0192f0c0-0000-7000-8000-000000000005'));
  await page.evaluate(() => trb('lead', 'signup'));
  await sent(2);
  assert.deepEqual(await page.evaluate(() => globalThis.breaches), []);
  await page.click('#to');
  await sent(3);
  assert.equal(events()[2].visitor, events()[1].visitor);
});

test('a second copy on the page, or the service blocked, disturbs nothing', async () => {
  shop.usual.copies = 2;
  const page = await land(at('shop.example'));
  await page.evaluate(() => history.pushState(null, '', '/b'));
  await sent(2);
  expected = /Content Security Policy/;
  shop.usual.headers = { 'content-security-policy': "connect-src 'none'" };
  await page.goto(at('shop.example', '/blocked'));
  await loaded(page);
  await page.evaluate(() => trb('lead', 'x'));
  await pause(300);
});

test('a page that the browser renders ahead is no visit until it is looked at', async () => {
  await context.addInitScript(() => Object.defineProperty(document, 'prerendering', { value: true }));
  const page = await open(at('shop.example'));
  await loaded(page);
  await pause(300);
  assert.deepEqual(events(), []);
  await page.evaluate(() => document.dispatchEvent(new Event('prerenderingchange')));
  await sent(1);
});
