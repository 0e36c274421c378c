// The pages in a real browser: both languages, both themes, phone and desk; without a script they must do as well.
// SHOTS_TO_DOCS=1 also writes docs/screenshots.
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { startDemo } from './demo.mjs';

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const AXE_RULES = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'];
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const SHOTS = new URL('./shots/', import.meta.url);
const DOCS = new URL('../../docs/screenshots/', import.meta.url);
const LOCALES = { en: 'en-GB', ru: 'ru-RU' };
const WIDTHS = { desk: 1280, phone: 390 };

let demo, browser;
const sessions = {};

before(async () => {
  demo = await startDemo();
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: FLAGS });
  await mkdir(SHOTS, { recursive: true });
}, { timeout: 360_000 });

after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** A fresh browser for somebody: `anonymous`, `admin` or `partner`. */
async function visit(who, { lang = 'en', theme = 'light', width = WIDTHS.desk, script = true } = {}) {
  const context = await browser.newContext({
    baseURL: demo.url,
    colorScheme: theme,
    javaScriptEnabled: script,
    locale: LOCALES[lang],
    viewport: { width, height: width === WIDTHS.phone ? 844 : 800 },
  });
  if (who !== 'anonymous') {
    sessions[who] ??= await signIn(context, demo[who]);
    await context.addCookies(sessions[who]);
  }
  return context;
}

async function signIn(context, { email, password }) {
  const page = await context.newPage();
  await page.goto('/signin');
  await page.fill('#email', email);
  await page.fill('#password', password);
  await page.click('form[action="/signin"] button');
  await page.waitForURL((url) => ['/admin', '/cabinet'].includes(url.pathname));
  const cookies = await context.cookies();
  await page.close();
  return cookies;
}

/** Chooses the language by the form every page has. */
async function speak(context, lang) {
  const page = await context.newPage();
  await page.goto('/');
  if (await page.getAttribute('html', 'lang') !== lang) {
    await page.click(`.languages button[value="${lang}"]`);
    await page.waitForSelector(`html[lang="${lang}"]`);
  }
  await page.close();
}

async function accessible(page, where) {
  await page.evaluate(axeSource);
  const { violations, passes } = await page.evaluate((rules) => globalThis.axe.run(document, { runOnly: rules }), AXE_RULES);
  assert.ok(passes.length > 10, `${where}: axe looked at the page`);
  const told = violations.map((v) => `${v.id}: ${v.help}\n    ${v.nodes.slice(0, 5).map((n) => `${n.target} ${n.failureSummary}`).join('\n    ')}`);
  assert.deepEqual(told, [], `${where}: axe`);
}

async function fits(page, where) {
  const { content, view } = await page.evaluate(() => ({ content: document.scrollingElement.scrollWidth, view: innerWidth }));
  assert.ok(content <= view, `${where}: ${content} px wide in a window of ${view} px`);
}

/** What is touched on a phone is large enough for a finger. */
async function touchable(page, where) {
  const small = await page.evaluate(() => [...document.querySelectorAll(
    'button, .button, select, input:not([type="hidden"], [type="checkbox"]), .tick, nav a, summary, .presets a, .heading a, th a',
  )].filter((e) => e.checkVisibility()).map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().height]).filter(([, height]) => height < 44));
  assert.deepEqual(small, [], `${where}: targets`);
}

/** Opens a page and holds it against everything a page must be. */
async function check(context, path, name) {
  const page = await context.newPage();
  const wrong = [];
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) wrong.push(message.text()); });
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('requestfailed', (request) => wrong.push(`${request.url()} failed`));
  page.on('request', (request) => { if (!request.url().startsWith(demo.url)) wrong.push(`asks ${request.url()}`); });
  await page.addInitScript(() => {
    globalThis.broken = [];
    document.addEventListener('securitypolicyviolation', (event) => globalThis.broken.push(event.violatedDirective));
  });
  const answer = await page.goto(path);
  assert.equal(answer.status(), 200, name);
  await page.screenshot({ path: new URL(`${name}.png`, SHOTS).pathname, fullPage: true });
  await fits(page, name);
  await accessible(page, name);
  if (page.viewportSize().width === WIDTHS.phone) await touchable(page, name);
  assert.deepEqual(await page.evaluate(() => globalThis.broken), [], `${name}: content security policy`);
  assert.deepEqual(wrong, [], `${name}: console`);
  assert.equal(await page.locator('script').count(), 0, `${name}: no script`);
  return page;
}

function cookieHeader(who) {
  return sessions[who].map((cookie) => `${cookie.name}=${cookie.value}`).join('; ');
}

test('an anonymous visitor is led to the sign-in', async () => {
  for (const path of ['/', '/admin', '/cabinet', '/admin/orders', '/admin/payouts/2026-10', '/admin/payout-runs/pay_1/export']) {
    const answer = await fetch(demo.url + path, { redirect: 'manual' });
    assert.equal(answer.status, 303, path);
    assert.equal(answer.headers.get('location'), '/signin', path);
  }
});

test('a wrong password is told, in the reader’s language, and says nothing about who has an account', async () => {
  const told = [];
  for (const email of [demo.admin.email, 'nobody@shop.example']) {
    const context = await visit('anonymous', { lang: 'ru', script: false });
    const page = await context.newPage();
    await page.goto('/signin');
    await page.fill('#email', email);
    await page.fill('#password', 'certainly not this');
    const [answer] = await Promise.all([page.waitForResponse((r) => r.request().method() === 'POST'), page.click('form[action="/signin"] button')]);
    assert.equal(answer.status(), 401);
    await page.waitForSelector('[role="alert"]');
    told.push(await page.textContent('[role="alert"]'));
    assert.equal(await page.inputValue('#email'), email, 'what was typed is kept');
    assert.equal(await page.inputValue('#password'), '');
    await context.close();
  }
  assert.match(told[0], /не подходят/);
  assert.equal(told[0], told[1]);
});

test('the eleventh wrong password in a minute is refused unread', async () => {
  const statuses = [];
  for (let tries = 0; tries < 11; tries += 1) {
    const body = new URLSearchParams({ email: 'guess@shop.example', password: `guess ${tries}` });
    const answer = await fetch(`${demo.url}/signin`, { method: 'POST', body, redirect: 'manual' });
    statuses.push(answer.status);
  }
  assert.deepEqual(statuses, [...Array(10).fill(401), 429]);
});

test('a session’s cookie is out of reach of scripts and other sites', async () => {
  await (await visit('admin')).close();
  const cookie = sessions.admin.find((c) => c.name === 'trb_session');
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, 'Lax');
  assert.equal(cookie.path, '/');
  assert.ok(cookie.expires > Date.now() / 1000 + 29 * 86_400);
});

test('every page has the headers, and its style is small', async () => {
  await (await visit('partner')).close();
  for (const [who, path] of [['admin', '/admin'], ['partner', '/cabinet'], ['partner', '/admin'], ['admin', '/nowhere']]) {
    const { headers } = await fetch(demo.url + path, { headers: { cookie: cookieHeader(who) } });
    assert.match(headers.get('content-security-policy'), /^default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'/, path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('referrer-policy'), 'same-origin');
    assert.equal(headers.get('cache-control'), 'no-store');
  }
  const html = await (await fetch(`${demo.url}/signin`)).text();
  assert.doesNotMatch(html, /<script|<style| style=| on[a-z]+=/);
  const sheet = /\/assets\/app\.css\?v=\w+/.exec(html)[0];
  const answer = await fetch(demo.url + sheet);
  assert.match(answer.headers.get('cache-control'), /immutable/);
  assert.ok(gzipSync(Buffer.from(await answer.arrayBuffer())).length <= 12_000);
});

test('a partner does not come into the console, nor staff into a cabinet', async () => {
  for (const [who, path] of [['partner', '/admin'], ['partner', '/admin/orders'], ['partner', '/admin/payouts/2026-10'], ['admin', '/cabinet']]) {
    const answer = await fetch(demo.url + path, { headers: { cookie: cookieHeader(who) }, redirect: 'manual' });
    assert.equal(answer.status, 403, `${who} ${path}`);
  }
});

test('a form from elsewhere changes nothing', async () => {
  const post = (path, fields, headers = {}) => fetch(demo.url + path, {
    method: 'POST', redirect: 'manual', body: new URLSearchParams(fields), headers: { cookie: cookieHeader('admin'), ...headers },
  });
  assert.equal((await post('/admin/payouts/2026-10/close', {})).status, 403, 'no token');
  assert.equal((await post('/admin/payouts/2026-10/close', { csrf: 'x' })).status, 403, 'wrong token');
  assert.equal((await post('/signout', {})).status, 403, 'sign-out');
  const context = await visit('admin');
  const page = await context.newPage();
  await page.goto('/admin');
  const csrf = await page.inputValue('form[action="/signout"] [name="csrf"]');
  assert.equal((await post('/language', { csrf, lang: 'ru', back: '/admin' }, { origin: 'https://evil.example' })).status, 403, 'another origin');
  assert.equal((await post('/language', { csrf, lang: 'ru', back: '/admin' }, { 'sec-fetch-site': 'cross-site' })).status, 403, 'another site');
  const away = await post('/language', { csrf, lang: 'en', back: '//evil.example/' });
  assert.equal(away.headers.get('location'), '/', 'the way back stays here');
  await context.close();
});

test('the language is chosen on the page, kept, and leads back', async () => {
  const context = await visit('admin', { script: false });
  const page = await context.newPage();
  await page.goto('/admin?group_by=source');
  await page.click('.languages button[value="ru"]');
  assert.equal(new URL(page.url()).search, '?group_by=source');
  assert.equal(await page.getAttribute('html', 'lang'), 'ru');
  await page.click('.languages button[value="en"]');
  assert.equal(await page.getAttribute('html', 'lang'), 'en');
  await context.close();
});

for (const lang of ['en', 'ru']) {
  for (const theme of ['light', 'dark']) {
    for (const [size, width] of Object.entries(WIDTHS)) {
      test(`every page is right: ${lang}, ${theme}, ${size}`, { timeout: 180_000 }, async () => {
        const as = { lang, theme, width };
        const name = (page) => `${page}-${lang}-${theme}-${width}`;

        const anonymous = await visit('anonymous', as);
        const gate = await check(anonymous, '/signin', name('signin'));
        await forDocs(gate, 'signin', lang, theme, size);
        await anonymous.close();

        const partner = await visit('partner', as);
        await speak(partner, lang);
        const cabinet = await check(partner, '/cabinet', name('cabinet'));
        assert.equal(await cabinet.getAttribute('html', 'lang'), lang);
        await forDocs(cabinet, 'cabinet', lang, theme, size);
        await check(partner, '/cabinet/documents', name('cabinet-documents'));
        await partner.close();

        const admin = await visit('admin', as);
        await speak(admin, lang);
        const home = await check(admin, '/admin', name('admin'));
        assert.equal(await home.getAttribute('html', 'lang'), lang);
        await forDocs(home, 'admin', lang, theme, size);
        const run = await home.getAttribute('#payouts .heading a', 'href');
        await check(admin, '/admin?group_by=day', name('admin-days'));
        const orders = await check(admin, '/admin/orders?owed=1', name('orders'));
        const order = await orders.getAttribute('tbody th a', 'href');
        const why = await check(admin, order, name('order'));
        assert.ok(await why.locator('.trace .won').count() >= 1, 'somebody won');
        await forDocs(why, 'order', lang, theme, size);
        await check(admin, run, name('payouts'));
        await check(admin, '/admin/documents', name('documents'));
        await check(admin, '/admin/receipts', name('receipts'));
        const asked = new URLSearchParams({ url: 'https://shop.example/?utm_source=yandex&utm_medium=cpc&yclid=1', user_agent: 'Googlebot/2.1' });
        const rules = await check(admin, `/admin/channel-rules?${asked}`, name('rules'));
        assert.equal(await rules.locator('.builtin .used').count(), 1, 'the rule that decides');
        await check(admin, '/admin/channel-rules/edit', name('rule'));
        await admin.close();
      });
    }
  }
}

/** The pictures of the documentation. */
async function forDocs(page, name, lang, theme, size) {
  if (!process.env.SHOTS_TO_DOCS) return;
  const kinds = [
    [`${name}-${lang}`, theme === 'light' && size === 'desk', null],
    [`${name}-dark`, lang === 'en' && theme === 'dark' && size === 'desk', 1_100],
    [`${name}-phone`, lang === 'ru' && theme === 'light' && size === 'phone', 1_600],
  ];
  for (const [file, wanted, tallest] of kinds) {
    if (!wanted) continue;
    await mkdir(DOCS, { recursive: true });
    const { width, height } = await page.evaluate(() => ({ width: innerWidth, height: document.documentElement.scrollHeight }));
    const clip = { x: 0, y: 0, width, height: Math.min(height, tallest ?? height) };
    if (name === 'cabinet' && size === 'phone') await page.setViewportSize({ width, height: clip.height });
    await page.screenshot({ path: new URL(`${file}.png`, DOCS).pathname, fullPage: true, clip });
  }
}

test('filters live in the URL; what cannot be read is said, and the usual is shown', async () => {
  const context = await visit('admin', { script: false });
  await speakByForm(context, 'en');
  const page = await context.newPage();
  await page.goto('/admin');
  await page.selectOption('#group_by', 'campaign');
  await page.selectOption('#model', 'linear');
  await page.click('.filters button');
  const query = new URL(page.url()).searchParams;
  assert.equal(query.get('group_by'), 'campaign');
  assert.equal(query.get('model'), 'linear');
  assert.equal(await page.inputValue('#model'), 'linear');
  for (const wrong of ['from=yesterday', 'model=guess', 'group_by=moon', 'from=2026-11-20&to=2026-11-01']) {
    const answer = await page.goto(`/admin?${wrong}`);
    assert.equal(answer.status(), 422, wrong);
    assert.ok(await page.locator('[role="alert"]').isVisible(), wrong);
    assert.ok(await page.locator('.figures').first().isVisible(), wrong);
  }
  await context.close();
});

async function speakByForm(context, lang) {
  const page = await context.newPage();
  await page.goto('/');
  await page.click(`.languages button[value="${lang}"]`);
  await page.close();
}

test('the accountant’s month goes through by forms alone: close, build, approve, download, paid', { timeout: 120_000 }, async () => {
  const context = await visit('admin', { script: false });
  await speakByForm(context, 'en');
  const watcher = await visit('admin');
  const page = await context.newPage();
  const step = async (button, status = 200) => {
    const [answer] = await Promise.all([page.waitForNavigation(), page.click(`main button:text-is("${button}")`)]);
    assert.equal(answer.status(), status, button);
  };
  const sound = async (name) => {
    const seen = await check(watcher, new URL(page.url()).pathname, `payouts-${name}`);
    await seen.close();
  };

  await page.goto('/admin');
  await page.click('#payouts .heading a');
  const period = new URL(page.url()).pathname.split('/').pop();
  const today = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/London' }).format(new Date());
  const lastMonth = new Date(Date.UTC(Number(today.slice(0, 4)), Number(today.slice(5, 7)) - 2, 1)).toISOString().slice(0, 7);
  assert.equal(period, lastMonth, 'the month that is to be paid');

  await step('Build the run', 409);
  assert.match(await page.textContent('[role="alert"]'), /close the month first/);
  await step('Close the month');
  await sound('closed');
  await step('Build the run');
  await sound('built');
  const total = await page.textContent('.run-total b');
  assert.match(total, /^£[\d,]+\.\d\d$/);
  await step('Approve');
  await sound('approved');

  const [download] = await Promise.all([page.waitForEvent('download'), page.click('main a:text-is("Download CSV")')]);
  assert.equal(download.suggestedFilename(), `payout-${period}-GBP.csv`);
  const csv = await readFile(await download.path(), 'utf8');
  assert.ok(csv.startsWith('\ufeff'));
  const lines = csv.trim().split('\r\n');
  assert.equal(lines.at(-1).split(';').at(-2), total.replace(/[£,]/g, ''), 'the file’s total is the page’s');
  const pence = (text) => Number(text.replace('.', ''));
  const sum = lines.slice(1, -1).reduce((whole, line) => whole + pence(line.split(';').at(-2)), 0);
  assert.equal(sum, pence(lines.at(-1).split(';').at(-2)), 'the lines are the total');

  await page.fill('[name="bank_reference"]', 'PP 1042 of 22.11.2026');
  await step('Mark as paid');
  assert.match(await page.textContent('main'), /PP 1042 of 22\.11\.2026/);
  assert.equal(await page.locator('main form button').count(), 0, 'nothing is left to press');
  await sound('paid');

  // What the file pays one partner is what that partner's cabinet says.
  const own = lines.find((line) => line.includes(demo.partner.email));
  assert.ok(own, 'the demo’s partner is paid');
  const cabinet = await visit('partner', { script: false });
  await speakByForm(cabinet, 'en');
  const theirs = await cabinet.newPage();
  await theirs.goto('/cabinet');
  const paid = await theirs.textContent('.balance .paid dd');
  assert.equal(paid.replace(/[£,]/g, ''), own.split(';').at(-2));
  await cabinet.close();
  await watcher.close();
  await context.close();
});

test('a viewer sees the run and moves no money', async () => {
  demo.viewer = { email: 'viewer@shop.example', password: 'only here to look' };
  demo.addUser(demo.viewer.email, 'viewer', demo.viewer.password);
  const context = await visit('viewer');
  const page = await context.newPage();
  await page.goto('/admin/payouts/2026-09');
  assert.equal(await page.locator('main form').count(), 0, 'no button');
  const csrf = await page.inputValue('form[action="/signout"] [name="csrf"]');
  const headers = { cookie: cookieHeader('viewer') };
  const post = (path) => fetch(demo.url + path, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams({ csrf, early: '1' }) });
  assert.equal((await post('/admin/payouts/2026-09/close')).status, 403);
  assert.equal((await post('/admin/payouts/2026-11/build')).status, 403);
  assert.equal((await post('/admin/payout-runs/pay_1/paid')).status, 403);
  assert.equal((await fetch(`${demo.url}/admin/payout-runs/pay_1/export`, { headers })).status, 403);
  await context.close();
});

test('channel rules are made, tried, ordered and removed by forms alone', { timeout: 120_000 }, async () => {
  const context = await visit('admin', { script: false });
  await speakByForm(context, 'en');
  const watcher = await visit('admin');
  const phone = await visit('admin', { width: WIDTHS.phone, theme: 'dark' });
  const page = await context.newPage();
  const press = async (name, status = 200) => {
    const [answer] = await Promise.all([page.waitForNavigation(), page.getByRole('button', { name, exact: true }).click()]);
    assert.equal(answer.status(), status, name);
  };
  const names = () => page.locator('.ordered b').allTextContents();
  const make = async (name, value) => {
    await page.click('main a:text-is("Add a rule")');
    await page.fill('#name', name);
    await page.selectOption('#channel', 'audio');
    await page.selectOption('#field_1', 'campaign');
    await page.selectOption('#is_1', 'starts_with');
    await page.fill('#value_1', value);
    await page.fill('#url', `https://shop.example/?utm_campaign=${value}1`);
    await press('Try');
    assert.match(await page.textContent('.tested'), new RegExp(`Your rule “${name}” decided`));
    await press('Save');
    assert.match(await page.textContent('.notice.saved'), /tributary replay/);
  };
  await page.goto('/admin');
  await page.click('nav a[href="/admin/channel-rules"]');
  assert.match(await page.textContent('.empty'), /built-in table/);
  await make('Radio “Wave” & co', 'radio-');
  await make('Leaflets', 'leaf-');
  await press('Move “Leaflets” up');
  assert.deepEqual(await names(), ['Leaflets', 'Radio “Wave” & co']);
  await page.click('.ordered li:first-child a.button');
  await press('More conditions');
  assert.equal(await page.locator('.condition').count(), 4);
  await page.fill('#value_2', 'without a field');
  await press('Save', 422);
  assert.match(await page.textContent('[role="alert"]'), /does not say of what/);
  assert.equal(await page.inputValue('#value_2'), 'without a field', 'what was typed is kept');

  // A test is its address, for whoever opens it.
  await page.goto('/admin/channel-rules');
  await page.fill('#url', 'https://shop.example/?utm_campaign=Radio-7');
  await press('Show the channel');
  const address = new URL(page.url());
  assert.equal(address.searchParams.get('url'), 'https://shop.example/?utm_campaign=Radio-7');
  assert.match(await page.textContent('.ordered .decides'), /Radio/);
  const seen = await check(watcher, address.pathname + address.search, 'rules-own');
  // The keyboard alone reaches the tester, the rules and what is done with them.
  await seen.focus('#url');
  const reached = [];
  for (let presses = 0; presses < 14; presses += 1) {
    await seen.keyboard.press('Tab');
    reached.push(await seen.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim()));
  }
  for (const wanted of ['Show the channel', 'Add a rule', 'Change Leaflets', 'Move “Leaflets” down', 'Remove Leaflets']) {
    assert.ok(reached.includes(wanted), `${wanted} of ${reached}`);
  }
  await check(phone, address.pathname + address.search, 'rules-own-phone');
  await check(phone, '/admin/channel-rules/edit?rule=Leaflets', 'rule-own-phone');

  // Removing asks once more.
  await page.goto('/admin/channel-rules');
  for (const name of ['Leaflets', 'Radio “Wave” & co']) {
    await page.click('.ordered li:first-child summary');
    await press(`Yes, remove “${name}”`);
  }
  assert.equal(await page.locator('.ordered').count(), 0);
  for (const one of [phone, watcher, context]) await one.close();
});

test('signing out ends the session', async () => {
  const context = await browser.newContext({ baseURL: demo.url, javaScriptEnabled: false });
  const cookies = await signIn(context, demo.partner);
  const page = await context.newPage();
  await page.goto('/cabinet');
  await page.click('form[action="/signout"] button');
  assert.equal(new URL(page.url()).pathname, '/signin');
  const cookie = cookies.map((c) => `${c.name}=${c.value}`).join('; ');
  const answer = await fetch(`${demo.url}/cabinet`, { headers: { cookie }, redirect: 'manual' });
  assert.equal(answer.status, 303, 'the old cookie opens nothing');
  await context.close();
});
