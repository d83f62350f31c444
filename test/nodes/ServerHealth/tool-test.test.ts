import { reply } from '../../servers/llama-server';
import { elements } from '../../lib/health/report/support';
import { playModel } from '../../lib/health/tools/answers';
import { expectEndOnStop, run, server, sim, SESAME, useServer } from './run-node';

useServer();

const TOOL_TEST = { operation: 'toolTest', options: { timeLimit: 15 } };
const asked = () => server().requests.filter(({ path }) => path.endsWith('/chat/completions'));

describe('Tool Test', () => {
	it('asks each case twice, and gives the result as an item', async () => {
		await sim();
		playModel(server(), (one) =>
			one.case === 'a number' ? reply.text('It is warm now.') : undefined,
		);
		const [items, unhealthy] = await run({ parameters: TOOL_TEST });
		expect(unhealthy).toEqual([]);
		expect(items).toMatchObject([
			{
				json: {
					status: 'healthy',
					toolTest: {
						cost: { models: ['sim-model'], requests: 22, generatedTokens: 22_528, seconds: 600 },
						models: [{ model: 'sim-model', passed: 18, tried: 20, notTried: 0, requests: 22 }],
					},
				},
				pairedItem: { item: 0 },
			},
		]);
		expect(items![0]!.json.findings).toMatchObject([
			{ id: 'toolsUnreliable', observed: '18 of 20 passed: 2 × no tool was called' },
			{ id: 'metricsOff' },
		]);
		expect(asked()).toHaveLength(22);
	});

	it('takes what the fields say, and no more', async () => {
		await sim({ profile: 'router', models: [{ id: 'a' }, { id: 'b' }] });
		playModel(server());
		const parameters = {
			...TOOL_TEST,
			testedModels: 'all',
			tries: 1,
			answerTokens: 64,
			toolLimit: 90,
		};
		const [planned] = await run({ parameters: { ...parameters, costOnly: true } });
		expect(planned![0]!.json.toolTest).toMatchObject({
			cost: { models: ['a', 'b'], requests: 22, generatedTokens: 22 * 64, seconds: 90 },
			models: [],
		});
		expect(asked()).toHaveLength(0);
		const [items] = await run({ parameters });
		expect(items![0]!.json.toolTest).toMatchObject({
			models: [
				{ model: 'a', passed: 10 },
				{ model: 'b', passed: 10 },
			],
		});
		for (const { body } of asked()) expect(body).toMatchObject({ max_tokens: 64 });
	});

	it('several models and none chosen: the node says what to do', async () => {
		await sim({ profile: 'router', models: [{ id: 'a' }, { id: 'b' }] });
		await expect(run({ parameters: TOOL_TEST })).rejects.toMatchObject({
			message: 'The server has several models, and none is chosen',
		});
	});

	it('of a server that does not work: by the second output', async () => {
		await sim({ apiKey: 'another' });
		expect((await run({ parameters: TOOL_TEST }))[1]).toMatchObject([
			{ json: { status: 'unauthorized', toolTest: null } },
		]);
	});

	it('ends at once on Stop, and leaves nothing running on the server', async () => {
		await expectEndOnStop({ tokenDelayMs: 200 }, { ...TOOL_TEST, answerTokens: 4096 });
	});
});

describe('Report with Test Tools', () => {
	const report = async (parameters: object = {}) => {
		const [items] = await run({
			parameters: {
				operation: 'report',
				measureSpeed: false,
				testTools: true,
				options: { timeLimit: 15 },
				...parameters,
			},
		});
		const [item] = items!;
		return { item: item!, page: Buffer.from(item!.binary!.data!.data, 'base64').toString('utf8') };
	};

	it('has a table of the cases with a bar for each, and what went wrong', async () => {
		await sim();
		playModel(server(), (one) => {
			if (one.case === 'a number') return reply.text(`Warm <b>now</b> ${SESAME}`);
			return one.case === 'Unicode' ? reply.llamaError(500, 'Compute error.') : undefined;
		});
		const { item, page } = await report();
		expect(item.json.toolTest).toMatchObject({ models: [{ passed: 16, tried: 18, notTried: 2 }] });
		elements(page);
		expect(page.match(/<svg class="bar"/g)).toHaveLength(10);
		for (const part of [
			'sim-model: 16 of 18 tries with tools passed, 2 not tried. 22 requests',
			'aria-label="0 of 2 passed"',
			'<rect class="missing" x="0" y="0" width="100" height="16" />',
			'2 × no tool was called: Warm &lt;b&gt;now&lt;/b&gt;',
			'2 × not tried, which says nothing of the model: The server failed: Compute error.',
		])
			expect(page).toContain(part);
	});

	it('several models and none chosen: the report says so, and tests nothing', async () => {
		await sim({ profile: 'router', models: [{ id: 'a' }, { id: 'b' }] });
		const { item, page } = await report();
		expect(item.json).toMatchObject({ toolTest: null });
		expect(page).toContain('The server has several models, and none is chosen');
		expect(asked()).toHaveLength(0);
	});

	it('asks no tools where that is off', async () => {
		await sim();
		const { item, page } = await report({ testTools: false });
		expect(item.json.toolTest).toBeUndefined();
		expect(page).not.toContain('<h3>Tools</h3>');
	});
});
