import type { INodeExecutionData } from 'n8n-workflow';

import { expectEndOnStop, run, server, sim, useServer, SESAME } from './run-node';
import { reply } from '../../simulators/llama-server';
import { playModel } from '../../lib/health/tool-answers';
import { elements } from '../../lib/health/elements';
import { ServerHealth } from '../../../nodes/ServerHealth/ServerHealth.node';
import { executeContext } from '../../support/n8n/execute-context';

useServer();

describe('Speed Test', () => {
	it.each([
		[{ tokens: 1e9 }, 'The field "Tokens" must be a number from 1 to 4096, but is 1000000000'],
		[
			{ options: { timeout: 0 } },
			'The field "Check Timeout (Seconds)" must be a number from 0.1, but is 0',
		],
	])(
		'a value out of an expression that makes no sense is an error that names it: %j',
		async (parameters, message) => {
			await sim();
			await expect(
				run({ parameters: { operation: 'speedTest', ...parameters } }),
			).rejects.toMatchObject({ message });
			expect(server().requests.filter(({ method }) => method === 'POST')).toEqual([]);
		},
	);

	it('ends immediately on Stop, and leaves nothing running on the server', async () => {
		await expectEndOnStop(
			{ tokenDelayMs: 50 },
			{ operation: 'speedTest', tokens: 4096, concurrentRequests: 4 },
		);
	});

	it('uses the set numbers of tokens and requests', async () => {
		await sim();
		await run({ parameters: { operation: 'speedTest', tokens: 8.9, concurrentRequests: 3 } });
		const requests = server().requests.filter(({ path }) => path.endsWith('/chat/completions'));
		expect(requests).toHaveLength(4);
		for (const { body } of requests)
			expect(body).toMatchObject({ max_tokens: 8, ignore_eos: true, cache_prompt: false });
	});
});

const TOOL_TEST = { operation: 'toolTest', options: { timeout: 60 } };
const getRequests = () =>
	server().requests.filter(({ path }) => path.endsWith('/chat/completions'));

describe('Tool Test', () => {
	it('runs eight cases, and returns the table of questions and calls as an item', async () => {
		await sim();
		playModel(server(), (one) =>
			one.name === 'a number' ? reply.text('It is warm now.') : undefined,
		);
		const [items, unhealthy] = await run({ parameters: TOOL_TEST });
		expect(unhealthy).toEqual([]);
		expect(items).toMatchObject([
			{
				json: {
					status: 'healthy',
					toolTest: { model: 'sim-model', passed: 7, completed: 8, skipped: 0 },
				},
				pairedItem: { item: 0 },
			},
		]);
		expect(items![0]!.json.findings).toMatchObject([
			{ id: 'toolsUnreliable', observed: '7 of 8 passed; a number: no tool was called' },
		]);
		const { cases } = items![0]!.json.toolTest as { cases: object[] };
		expect(cases[5]).toEqual({
			case: 'a number',
			question: 'Set the heating to twenty-one and a half degrees Celsius.',
			called: 'It is warm now.',
			passed: false,
			problem: 'noCall',
		});
		expect(getRequests()).toHaveLength(9);
	});

	it('shows its progress in a chat', async () => {
		await sim();
		playModel(server());
		const { context, chunks } = executeContext({
			type: 'n8n-nodes-local-llama.serverHealth',
			credentials: { baseUrl: server().url, apiKey: SESAME },
			parameters: { service: 'modelServer', ...TOOL_TEST },
			streaming: true,
		});
		await new ServerHealth().execute.call(context);
		const lines = chunks.map(({ content = '' }) => content);
		expect(lines).toHaveLength(10);
		expect(lines[1]).toBe('Case 1 of 8, no call needed: passed\n');
	});

	it('keeps to the limits in the fields', async () => {
		await sim();
		playModel(server());
		await run({ parameters: { ...TOOL_TEST, maxTokens: 64, testTimeout: 90 } });
		for (const { body } of getRequests()) expect(body).toMatchObject({ max_tokens: 64 });
	});
});

const one = async (setup: Parameters<typeof run>[0]) => (await run(setup)).flat()[0]!;

const REPORT = { operation: 'report', tokens: 8, options: { timeout: 60 } };

const pageOf = (item: INodeExecutionData | undefined, field = 'data') =>
	Buffer.from(item!.binary![field]!.data, 'base64').toString('utf8');
const roundsSent = () =>
	server().requests.filter(({ path }) => path.endsWith('/chat/completions')).length;

describe('Report', () => {
	it('checks, measures one request and concurrent ones, and writes a file', async () => {
		await sim({ slots: 4 });
		const [[item], unhealthy] = (await run({
			parameters: { ...REPORT, title: 'My servers' },
		})) as [INodeExecutionData[], INodeExecutionData[]];
		expect(unhealthy).toEqual([]);
		expect(item).toMatchObject({
			json: {
				status: 'healthy',
				speed: {
					model: 'sim-model',
					runs: [
						{ concurrentRequests: 1, failures: [] },
						{ concurrentRequests: 2, failures: [] },
						{ concurrentRequests: 4, failures: [] },
					],
				},
				server: { slots: 4 },
				report: {
					title: 'My servers',
					file: {
						fileName: 'server-health.html',
						mimeType: 'text/html',
						bytes: expect.any(Number) as number,
					},
				},
			},
			pairedItem: { item: 0 },
			binary: { data: { fileName: 'server-health.html', mimeType: 'text/html' } },
		});
		expect(roundsSent()).toBe(7);
		const page = pageOf(item);
		elements(page);
		for (const text of [
			'My servers',
			'Europe/Berlin',
			server().url,
			'sim-model',
			'All requests combined, tokens per second',
		])
			expect(page).toContain(text);
		expect(page).not.toContain(SESAME);
		const { file, text: email } = item!.json.report as { file: { bytes: number }; text: string };
		expect(Buffer.byteLength(page)).toBe(file.bytes);
		expect(email).toContain('- 4 requests at the same time: ');
	});

	it('sends as many requests as set, and none if measuring is off', async () => {
		await sim({ slots: 8 });
		await run({ parameters: { ...REPORT, concurrentRequests: 2 } });
		expect(roundsSent()).toBe(3);
		const item = await one({ parameters: { ...REPORT, measureSpeed: false } });
		expect(roundsSent()).toBe(3);
		expect(item!.json.speed).toBeUndefined();
		expect(pageOf(item)).not.toContain('Speed of');
	});

	it('names of the file and of its field are those of the options', async () => {
		await sim();
		const item = await one({
			parameters: {
				...REPORT,
				measureSpeed: false,
				options: { timeout: 60, fileName: '../week 47.pdf', binaryPropertyOutput: 'report' },
			},
		});
		expect(item!.binary!.report!.fileName).toBe('week 47.html');
	});

	it('a report about a server that is down is a report too, by the second output', async () => {
		await sim({ apiKey: 'another' });
		const [healthy, [item]] = (await run({ parameters: REPORT })) as [
			INodeExecutionData[],
			INodeExecutionData[],
		];
		expect(healthy).toEqual([]);
		expect(item!.json).toMatchObject({ status: 'unauthorized' });
		expect(item!.json).not.toHaveProperty('speed');
		expect(pageOf(item)).toContain('badge unauthorized');
		await expect(
			run({ parameters: { ...REPORT, options: { timeout: 60, failWhenUnhealthy: true } } }),
		).rejects.toMatchObject({ message: 'The server rejected the API key' });
	});

	it('several models and none selected: the report states that the speed was not measured', async () => {
		await sim({ profile: 'router', models: [{ id: 'a' }, { id: 'b' }] });
		const item = await one({ parameters: REPORT });
		expect(item!.json).toMatchObject({ status: 'healthy' });
		expect(item!.json).not.toHaveProperty('speed');
		expect(pageOf(item)).toContain('The server has several models, and none is selected');
		expect(roundsSent()).toBe(0);
	});

	it('a server for vectors is healthy, and its speed was not measured', async () => {
		await sim({ embeddings: { encoder: true } });
		const item = await one({ parameters: REPORT });
		expect(item!.json).toMatchObject({
			status: 'healthy',
			findings: [{ id: 'wrongModelType', severity: 'info' }],
		});
		expect(pageOf(item)).toContain('no endpoint for this task with the model');
	});
});

describe('Wait Until Ready', () => {
	it('Wait Until Ready', async () => {
		await sim({ loadingFor: 3 });
		const outputs = await run({
			parameters: { operation: 'waitUntilReady', waitTimeout: 60 },
		});
		expect(outputs[0]).toMatchObject([
			{
				json: {
					status: 'healthy',
					wait: { history: [{ status: 'loading' }, { status: 'healthy' }] },
				},
			},
		]);
	});

	it('Wait Until Ready with a rejected key returns immediately', async () => {
		await sim({ apiKey: 'another' });
		expect((await run({ parameters: { operation: 'waitUntilReady' } }))[1]).toMatchObject([
			{ json: { status: 'unauthorized', wait: { checks: 1 } } },
		]);
	});

	it.each([
		['while the model loads', { loadingFor: { ms: 60_000 } }, {}],
		[
			'while nothing answers',
			{ connections: () => 'silent' as const },
			{ waitTimeout: 60, options: { timeout: 30 } },
		],
	])(
		'ends immediately on Stop %s, and leaves nothing running on the server',
		async (_when, options, parameters) => {
			await expectEndOnStop(options, { operation: 'waitUntilReady', ...parameters });
		},
	);
});
