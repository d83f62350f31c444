import type { INodeExecutionData } from 'n8n-workflow';
import { run, server, sim, SESAME, useServer } from './run-node';
import { elements } from '../../lib/health/elements';

useServer();

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
		).rejects.toMatchObject({ message: 'Invalid API Key' });
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
		expect(pageOf(item)).toContain('the current context does not logits computation');
	});
});
