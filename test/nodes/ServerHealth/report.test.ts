import type { INodeExecutionData } from 'n8n-workflow';

import { appKey, startDifySim } from '../../servers/dify';
import { reply, startLlamaServerSim } from '../../servers/llama-server';
import { elements } from '../../lib/health/report/support';
import { useSimulator } from '../../servers/use-simulator';
import { expectEndOnStop, run, server, SESAME, sim, useServer } from './run-node';

useServer();
const startDify = useSimulator(startDifySim);
const startSecond = useSimulator(startLlamaServerSim);

const one = async (setup: Parameters<typeof run>[0]) => (await run(setup)).flat()[0]!;

const REPORT = { operation: 'report', tokens: 8, options: { timeLimit: 15 } };

const pageOf = (item: INodeExecutionData | undefined, field = 'data') =>
	Buffer.from(item!.binary![field]!.data, 'base64').toString('utf8');
const roundsSent = () =>
	server().requests.filter(({ path }) => path.endsWith('/chat/completions')).length;

describe('Report', () => {
	it('checks, measures up to the slots of the server, and puts all into a file', async () => {
		await sim({ slots: 4 });
		const [[item], unhealthy] = (await run({ parameters: { ...REPORT, title: 'My servers' } })) as [
			INodeExecutionData[],
			INodeExecutionData[],
		];
		expect(unhealthy).toEqual([]);
		expect(item).toMatchObject({
			json: {
				status: 'healthy',
				title: 'My servers',
				speed: {
					model: 'sim-model',
					runs: [
						{ atOnce: 1, requests: 1, measuredBy: 'server' },
						{ atOnce: 2, requests: 2 },
						{ atOnce: 4, requests: 4 },
					],
				},
				slots: { total: 4, busy: 0 },
				entries: [
					{
						url: server().url,
						status: 'healthy',
						model: 'sim-model',
						atOnce: expect.any(Number) as number,
					},
				],
				earlierResults: 0,
				file: {
					fileName: 'server-health.html',
					mimeType: 'text/html',
					bytes: expect.any(Number) as number,
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
			'First token of the slowest request',
		])
			expect(page).toContain(text);
		expect(page).not.toContain(SESAME);
		expect(Buffer.byteLength(page)).toBe((item!.json.file as { bytes: number }).bytes);
		expect(JSON.stringify(item!.json)).not.toContain('samples');
	});

	it('measures no more than the field says, and nothing where that is off', async () => {
		await sim({ slots: 8 });
		await run({ parameters: { ...REPORT, atOnceUpTo: 2 } });
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
				options: { timeLimit: 15, fileName: '../week 47.pdf', binaryPropertyOutput: 'report' },
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
		expect(item!.json).toMatchObject({ status: 'unauthorized', speed: null });
		expect(pageOf(item)).toContain('badge unauthorized');
		await expect(
			run({ parameters: { ...REPORT, options: { timeLimit: 15, failWhenUnhealthy: true } } }),
		).rejects.toMatchObject({ message: 'The server refuses the API key' });
	});

	it('several models and none chosen: the report says that the speed was not measured', async () => {
		await sim({ profile: 'router', models: [{ id: 'a' }, { id: 'b' }] });
		const item = await one({ parameters: REPORT });
		expect(item!.json).toMatchObject({ status: 'healthy', speed: null });
		expect(pageOf(item)).toContain('The server has several models, and none is chosen');
		expect(roundsSent()).toBe(0);
	});

	it('tells what this n8n does that n8n 3 no longer does: a file stays in memory', async () => {
		await sim({ metrics: true });
		const parameters = { ...REPORT, parts: ['facts'] };
		const ids = async (setup: object) =>
			((await one({ parameters, ...setup })).json.findings as Array<{ id: string }>).map(
				({ id }) => id,
			);
		expect(await ids({ filesInMemory: true })).toContain('n8nFilesInMemory');
		expect(await ids({})).not.toContain('n8nFilesInMemory');
	});

	it('takes no slot from others, and says so', async () => {
		await sim({ slots: 2, tokenDelayMs: 20 });
		const abort = new AbortController();
		const long = reply.text('word '.repeat(500), { tokenDelayMs: 50 });
		server().script(long, long);
		const others = [1, 2].map(async () => {
			const answer = await fetch(`${server().url}/v1/chat/completions`, {
				method: 'POST',
				headers: { authorization: `Bearer ${SESAME}`, 'content-type': 'application/json' },
				body: JSON.stringify({
					messages: [{ role: 'user', content: 'hi' }],
					stream: true,
					max_tokens: 4000,
					ignore_eos: true,
				}),
				signal: abort.signal,
			});
			await answer.text();
		});
		const ended = Promise.allSettled(others);
		await server().until(() =>
			server()
				.slots()
				.every(({ busy }) => busy),
		);
		const item = await one({ parameters: REPORT });
		abort.abort();
		await ended;
		expect(item!.json).toMatchObject({ status: 'healthy', speed: { runs: [] } });
		expect(item.json.findings).toMatchObject([{ id: 'sweepSkipped' }, { id: 'metricsOff' }]);
		expect(pageOf(item)).toContain('Others use all 2 slots, so the speed was not measured');
	});

	it('the limit of the credential is kept, and told', async () => {
		await sim({ slots: 4 });
		const item = await one({
			parameters: REPORT,
			credentials: { baseUrl: server().url, apiKey: SESAME, maxConcurrentRequests: 2 },
		});
		expect(item!.json.speed).toMatchObject({ runs: [{ atOnce: 1 }, { atOnce: 2 }] });
		expect((item!.json.findings as Array<{ id: string }>).map(({ id }) => id)).toContain(
			'fewerAtOnce',
		);
	});

	it('several servers: a table of all, and an entry of each', async () => {
		await sim({ slots: 2 });
		const second = await startSecond({ apiKey: SESAME, slots: 1, alias: 'second-model' });
		const item = await one({
			parameters: REPORT,
			credentials: {
				baseUrl: server().url,
				apiKey: SESAME,
				furtherServers: { server: [{ baseUrl: second.url }] },
			},
		});
		expect(item!.json.entries).toMatchObject([
			{ url: server().url, model: 'sim-model' },
			{ url: second.url, model: 'second-model' },
		]);
		expect(pageOf(item)).toContain('2 servers');
		expect(JSON.stringify(item!.json)).not.toContain('samples');
	});

	it('of Dify: its findings, and no sweep', async () => {
		const dify = await startDify();
		await sim();
		const item = await one({
			parameters: { service: 'dify', operation: 'report', options: { timeLimit: 15 } },
			credentials: { baseUrl: dify.url, apiKey: appKey('chat'), keyType: 'app' },
		});
		expect(item!.json).toMatchObject({ status: 'healthy', server: { kind: 'dify' } });
		expect(item!.json.speed).toBeUndefined();
		expect(pageOf(item)).toContain('Dify');
	});

	describe('with earlier results', () => {
		const rows = (url: string) =>
			[1, 2, 3].map((day) => ({
				checkedAt: `2026-01-0${day}T08:00:00.000Z`,
				url,
				status: 'healthy',
				tokensPerSecond: 40 + day,
				firstTokenMs: 100 * day,
			}));

		it('of the input items: one report for all of them, which is paired with each', async () => {
			await sim();
			const outputs = await run({
				parameters: { ...REPORT, measureSpeed: false, historyFrom: 'inputItems' },
				input: rows(server().url),
			});
			expect(outputs[0]).toHaveLength(1);
			expect(outputs[0]![0]!.pairedItem).toEqual([{ item: 0 }, { item: 1 }, { item: 2 }]);
			expect(outputs[0]![0]!.json.earlierResults).toBe(3);
			const page = pageOf(outputs[0]![0]);
			expect(page).toContain('4 results in');
			expect(page).toContain('One answer alone, tokens per second, over time');
		});

		it('of a field: one report for each item', async () => {
			await sim();
			const [items] = await run({
				items: 2,
				parameters: { ...REPORT, measureSpeed: false, historyFrom: 'field' },
				perItem: [
					{ history: rows(server().url) },
					{ history: JSON.stringify(rows(server().url).slice(0, 1)) },
				],
			});
			expect(items!.map(({ json, pairedItem }) => [json.earlierResults, pairedItem])).toEqual([
				[3, { item: 0 }],
				[1, { item: 1 }],
			]);
		});

		it('earlier reports are earlier results', async () => {
			await sim();
			const first = await one({ parameters: { ...REPORT, atOnceUpTo: 2 } });
			const second = await one({
				parameters: { ...REPORT, atOnceUpTo: 2, historyFrom: 'inputItems' },
				input: [first!.json],
			});
			expect(second!.json.earlierResults).toBe(1);
			expect(pageOf(second)).toContain('2 results in');
		});
	});

	it('fails and goes on as told', async () => {
		await sim();
		const failed = await one({
			continueOnFail: true,
			parameters: REPORT,
			perItem: [{ tokens: 'many' }],
		});
		expect(failed).toMatchObject({
			json: {
				error: {
					message: 'The field "Tokens per Answer" must be a number from 1 to 4096, but is "many"',
				},
			},
			pairedItem: { item: 0 },
		});
	});

	it('ends at once on Stop, and leaves nothing running on the server', async () => {
		await expectEndOnStop({ tokenDelayMs: 50 }, { ...REPORT, tokens: 4096 });
	});

	it('as a tool of an agent has one output, with the file', async () => {
		await sim({ apiKey: 'another' });
		const outputs = await run({ outputs: ['ai_tool'], parameters: REPORT });
		expect(outputs).toHaveLength(1);
		expect(outputs[0]![0]!.json.status).toBe('unauthorized');
		expect(pageOf(outputs[0]![0])).toContain('unauthorized');
	});
});
