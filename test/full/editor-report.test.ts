import { chromium as playwright } from 'playwright-core';
import type { Browser } from 'playwright-core';

import { elements } from '../lib/health/elements';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {
	chromium,
	llamaCredential,
	parts,
	startLlamaServer,
	startN8n,
	stopEverything,
	workFolder,
} from '../e2e/support/playground';
import type { LlamaServer, N8nServer } from '../e2e/support/playground';
import { itemsOf } from '../e2e/support/run-examples';
import { until } from '../e2e/support/until';
import { workflowOf } from '../e2e/support/workflows';

const MODEL = 'smollm2-135m-instruct';

/** Screenshot for the documents: the whole report. */
const PICTURE = { width: 900, height: 1180 };

let n8n: N8nServer;
let server: LlamaServer;
let browser: Browser;
let page: string;

beforeAll(async () => {
	n8n = await startN8n();
	server = await startLlamaServer({
		model: parts().smolLm2,
		// The name that the picture shows.
		alias: MODEL,
		contextSize: 8192,
		parallel: 4,
		args: ['--metrics'],
	});
	const { executablePath, args } = chromium();
	browser = await playwright.launch({ executablePath, args, timeout: 180_000 });
});
afterAll(async () => {
	await browser.close();
	await stopEverything();
});

it('a report of the real server is a file', async () => {
	const { id, name } = await n8n.createCredential({ ...llamaCredential(server), id: undefined });
	const hook = 'server-report';
	const workflow = workflowOf('Report', {
		Start: {
			type: 'n8n-nodes-base.webhook',
			typeVersion: 2,
			parameters: {
				path: hook,
				httpMethod: 'GET',
				responseMode: 'lastNode',
				responseData: 'firstEntryBinary',
				responseBinaryPropertyName: 'data',
				options: {},
			},
			webhookId: hook,
			to: ['Report'],
		},
		Report: {
			type: 'CUSTOM.serverHealth',
			parameters: {
				operation: 'report',
				title: 'Weekly server report',
				tokens: 24,
				options: { timeout: 15, firstTokenTimeout: 240, totalTimeout: 240 },
			},
			credentials: { localLlamaApi: { id, name } },
		},
	});
	const { id: workflowId } = await n8n.createWorkflow(workflow);
	await n8n.activate(workflowId);
	const download = await n8n.webhook(hook, { method: 'GET' });
	page = await download.text();
	expect(download.headers.get('content-type')).toContain('text/html');
	const [run] = await until(
		async () => await n8n.listExecutions({ workflowId, status: ['success'] }),
		(runs) => runs.length > 0,
	);
	const [result] = itemsOf(await n8n.getExecution(run!.id), 'Report');
	expect(result).toMatchObject({
		status: 'healthy',
		speed: {
			model: MODEL,
			runs: [1, 2, 4].map((concurrentRequests) => ({
				concurrentRequests,
				failures: [],
			})),
		},
		report: { file: { fileName: 'server-health.html', mimeType: 'text/html' } },
	});
	elements(page);
	const { file } = result!.report as { file: { bytes: number } };
	expect(Buffer.byteLength(page)).toBe(file.bytes);
	expect(Buffer.byteLength(page)).toBeLessThan(30_000);
	for (const text of [
		'Weekly server report',
		server.url,
		'All requests combined, tokens per second',
	])
		expect(page).toContain(text);
});

it.each(['light', 'dark'] as const)('opens in a browser without a network, %s', async (theme) => {
	const file = path.join(workFolder('report'), 'report.html');
	fs.writeFileSync(file, page);
	const context = await browser.newContext({
		viewport: PICTURE,
		deviceScaleFactor: 1.5,
		colorScheme: theme,
	});
	const tab = await context.newPage();
	const requestedUrls: string[] = [];
	const consoleMessages: string[] = [];
	tab.on('request', (request) => requestedUrls.push(request.url()));
	tab.on('console', (message) => consoleMessages.push(message.text()));
	tab.on('pageerror', (error) => consoleMessages.push(String(error)));
	await tab.goto(`file://${file}`);
	expect(requestedUrls).toEqual([`file://${file}`]);
	expect(consoleMessages).toEqual([]);
	expect(await tab.title()).toBe('Weekly server report');
	const background = await tab.evaluate('getComputedStyle(document.body).backgroundColor');
	expect(background).toBe(theme === 'dark' ? 'rgb(20, 24, 29)' : 'rgb(244, 246, 248)');
	// The charts of the speed, in the colors of the page.
	expect(await tab.locator('svg .line').count()).toBe(2);
	for (const text of await tab.locator('svg text').all())
		expect((await text.boundingBox())!.x).toBeGreaterThanOrEqual(0);
	// Nothing is wider than a phone's screen.
	await tab.setViewportSize({ width: 360, height: 700 });
	expect(await tab.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
	const pictures = process.env.LOCAL_LLAMA_PICTURES;
	const take = async (name: string) => {
		const picture = await tab.screenshot({ animations: 'disabled', fullPage: true });
		for (const folder of [workFolder('pictures'), ...(pictures ? [pictures] : [])])
			fs.writeFileSync(path.join(folder, `${name}${theme === 'dark' ? '-dark' : ''}.png`), picture);
	};
	await tab.setViewportSize(PICTURE);
	await take('report');
	await context.close();
});
