import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { reportRun } from '../../../../nodes/shared/dify/report-run';
import { toDifyNodeError } from '../../../../nodes/shared/dify/dify-node-error';
import type { DifyCall } from '../../../../nodes/shared/dify/dify-operation';
import { ItemError } from '../../../../nodes/shared/items/item-error';
import { toErrorItem } from '../../../../nodes/shared/items/error-item';
import { processItems } from '../../../../nodes/shared/items/process-items';
import type { ItemsOptions, ItemHandler } from '../../../../nodes/shared/items/process-items';
import { startSim, createClient, sendMessage } from '../../../lib/dify/client';
import {
	sendMessages,
	getItemError,
	executeNode,
	getNodeError,
	createNumberedItems,
	prepareNode,
	textFile,
	executePrepared,
} from '../../dify';
import type { Setup } from '../../dify';
import type { DifySim } from '../../../simulators/dify';
import type { RunResult } from '../../../../lib/dify/types';

/** Processes items like a Dify node. */
async function workOnDifyItems(
	context: IExecuteFunctions,
	work: ItemHandler<INodeExecutionData[]>,
	options: Omit<ItemsOptions, 'toNodeError'> = {},
): Promise<INodeExecutionData[]> {
	const toNodeError = ({ reason }: ItemError) => toDifyNodeError(context.getNode(), reason);
	const results = await processItems(context, work, { ...options, toNodeError });
	return results
		.flat()
		.map((result) =>
			result instanceof ItemError ? toErrorItem(toNodeError(result), result) : result,
		);
}

describe('processing items', () => {
	const work = (setup: Pick<Setup, 'items' | 'signal' | 'continueOnFail'>) =>
		prepareNode('difyChatMessage', { url: 'http://127.0.0.1:9/v1' }, setup).context;

	test('without items, the operation runs once, as some n8n versions call tools', async () => {
		const setup = { items: [], parameters: { user: '' }, type: 'CUSTOM.difyChatMessageTool' };
		const [item] = await sendMessages(await startSim(), setup);
		expect(item!.json).toMatchObject({ answer: 'You said: hi', user: 'n8n-w1' });
	});

	test('as an agent tool, it exposes no URL and no message of a failing server', async () => {
		const type = 'n8n-nodes-local-llama.difyChatMessageTool';
		const sim = await startSim();
		const body = JSON.stringify({
			code: 'internal_server_error',
			message: 'db-7 is down',
			status: 500,
		});
		for (const [to, answer] of [
			[{ url: 'http://127.0.0.1:9/v1' }, undefined],
			[sim, { status: 500, body, contentType: 'application/json', times: 2 }],
			[sim, { status: 502, body: '<h1>gate-3.lan</h1>', contentType: 'text/html', times: 2 }],
		] as const) {
			if (answer !== undefined) sim.fail(answer);
			const setup = { type, parameters: { options: { maxRetries: 0 } } };
			const error = await getNodeError(sendMessages(to, setup));
			const [item] = await sendMessages(to, { ...setup, continueOnFail: true });
			for (const text of [error.message, error.description, JSON.stringify(item!.json)]) {
				expect(text ?? '').not.toMatch(/127\.0\.0\.1|db-7|gate-3|docker|http/);
				if (text) expect(text).toContain('tell the user that it is not available');
			}
			expect(error.context.data).toHaveProperty('url');
		}
		const query = await getNodeError(sendMessages(sim, { type, parameters: { query: '' } }));
		expect(query.message).toContain('The query is empty. Enter a query.');
	});

	test('if the chat cannot receive an error, other items are not affected', async () => {
		const items = await workOnDifyItems(
			work({ items: createNumberedItems(3).items, continueOnFail: true }),
			async (itemIndex) =>
				await (itemIndex === 1
					? Promise.reject(new Error('no'))
					: Promise.resolve([{ json: { itemIndex } }])),
			{ onFailure: async () => await Promise.reject(new Error('write after end')) },
		);
		expect(items.map((item) => getItemError(item)?.message ?? item.json.itemIndex)).toEqual([
			0,
			'no',
			2,
		]);
	});
});

const chatJson = async (sim: Pick<DifySim, 'url'>, setup?: Setup) =>
	(await executeNode('difyChatMessage', sim, setup))[0]!.json;

/** Refused by name, and nothing was sent. */
async function expectRejected(
	sim: DifySim,
	promise: Promise<unknown>,
	message: string,
): Promise<void> {
	const requestCount = sim.requests.length;
	expect((await getNodeError(promise)).message).toContain(message);
	expect(sim.requests).toHaveLength(requestCount);
}

test('invalid options of the first item fail only that item', async () => {
	const sim = await startSim();
	for (const options of [new Error('no such field'), { maxConcurrentItems: 'many' }]) {
		const setup = {
			items: [{ json: {} }, { json: {} }],
			perItem: [{ options }, {}],
			continueOnFail: true,
		};
		const items = await executeNode('difyChatMessage', sim, setup);
		expect(items.map((item) => getItemError(item)?.message ?? item.json.answer)).toEqual([
			expect.stringMatching(/no such field|"Max Concurrent Items" must be a number/),
			'You said: hi',
		]);
		const fake = prepareNode('difyChatMessage', sim, { ...setup, streaming: true });
		await executePrepared('difyChatMessage', fake);
		expect(new Set(fake.chunks.map(({ itemIndex, type }) => `${itemIndex} ${type}`))).toEqual(
			new Set(['0 error', '1 begin', '1 item', '1 end']),
		);
	}
});

describe('a file', () => {
	test.each([
		[{ source: 'binary', binaryProperty: undefined }, 'The field "Input Binary Field" is empty'],
		[{ source: 'binary', binaryProperty: ' , ' }, 'The field "Input Binary Field" is empty'],
		[
			{ source: 'binary', binaryProperty: { data: 1 } },
			'The field "Input Binary Field" must be a text',
		],
		[{ source: 'url', url: undefined }, 'The field "URL" is empty'],
		[{ source: 'url', url: '' }, 'The field "URL" is empty'],
		[{ source: 'url', url: null }, 'The field "URL" is empty'],
		[{ source: 'url', url: {} }, 'The file URL is not valid'],
	])('that is requested is not silently omitted: %j', async (file, message) => {
		const sim = await startSim();
		await expectRejected(
			sim,
			executeNode('difyChatMessage', sim, {
				items: textFile('eA=='),
				parameters: { files: { file: [file] } },
			}),
			message,
		);
	});

	test('may be an empty list for none', async () => {
		const sim = await startSim();
		await chatJson(sim, {
			parameters: { files: { file: [{ source: 'url', url: [] }, { source: 'all' }] } },
		});
		expect(sim.requests.map(({ path }) => path)).toEqual(['/chat-messages']);
	});
});

/** Metadata of the node and custom data of the execution after these runs. */
function reported(...results: RunResult[]) {
	const values = new Map<string, unknown>();
	const customData = {
		get: (key: string) => values.get(key),
		set: (key: string, value: unknown) => values.set(key, value),
	};
	const hints: string[] = [];
	const call = { context: { customData }, hint: (message: string) => void hints.push(message) };
	for (const result of results) reportRun(call as unknown as DifyCall, result);
	const usage = JSON.parse(String(values.get('llm_usage') ?? 'null')) as unknown;
	return { in: values.get('llm_tokens_in'), out: values.get('llm_tokens_out'), usage, hints };
}

test('token counts of runs add up', async () => {
	const client = createClient(await startSim({}));
	const results = [(await sendMessage(client)).result, (await sendMessage(client)).result];
	const sum = (field: 'prompt_tokens' | 'completion_tokens') =>
		results.reduce((total, { usage }) => total + Number(usage![field]), 0);
	expect(reported(...results)).toMatchObject({
		in: sum('prompt_tokens'),
		out: sum('completion_tokens'),
		usage: { generations: 2, uncounted: 0 },
	});
	expect(sum('prompt_tokens')).toBeGreaterThan(0);
});

test('a run without token counts is reported as such; a paused run is not finished', async () => {
	const { result } = await sendMessage(createClient(await startSim({})));
	const runs = [
		{ ...result, usage: undefined, warnings: ['Beware'] },
		{ ...result, status: 'paused' as const },
	];
	expect(reported(...runs)).toMatchObject({
		in: 0,
		usage: { generations: 1, uncounted: 1 },
		hints: ['Beware'],
	});
});

test('the time is that of Dify', async () => {
	const { result } = await sendMessage(createClient(await startSim({})));
	const usage = { prompt_tokens: 5, completion_tokens: 10, total_tokens: 15, latency: 2 };
	expect(reported({ ...result, usage })).toMatchObject({
		usage: { seconds: 2, tokensPerSecond: 5 },
	});
});
