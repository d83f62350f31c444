import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { toDifyNodeError } from '../../../../nodes/shared/dify/dify-operation';
import { toErrorItem, type ItemError } from '../../../../nodes/shared/run/item-error';
import {
	processItems,
	type ItemsOptions,
	type ItemHandler,
} from '../../../../nodes/shared/run/run-operations';
import { startSim } from '../../../lib/dify/client';
import { delay } from '../../../support/node-builtins';
import {
	sendMessages,
	getItemError,
	executeNode,
	getNodeError,
	createNumberedItems,
	prepareNode,
	type Setup,
} from '../../dify';

/** Processes items like a Dify node. */
async function workOnDifyItems(
	context: IExecuteFunctions,
	work: ItemHandler<INodeExecutionData[]>,
	options: Pick<ItemsOptions<unknown>, 'concurrency' | 'getSequenceKey' | 'onFailure'> = {},
): Promise<INodeExecutionData[]> {
	const toNodeError = ({ reason, itemIndex }: ItemError) =>
		toDifyNodeError(context.getNode(), reason, { itemIndex });
	const toFailedResult = (failed: ItemError) => [
		toErrorItem(toNodeError(failed), failed.itemIndex),
	];
	return (await processItems(context, work, { ...options, toNodeError, toFailedResult })).flat();
}

test('sequential items of one conversation do not block other conversations', async () => {
	let running = 0;
	let maxRunning = 0;
	const order: number[] = [];
	const { context } = prepareNode(
		'difyChatMessage',
		{ url: 'http://127.0.0.1:9/v1' },
		{ items: createNumberedItems(30).items },
	);
	const items = await workOnDifyItems(
		context,
		async (itemIndex) => {
			order.push(itemIndex);
			maxRunning = Math.max(maxRunning, ++running);
			await delay(3);
			running--;
			return [{ json: { itemIndex } }];
		},
		// Ten of anna, ten of ben, five of cleo, and five without a user.
		{
			concurrency: 4,
			getSequenceKey: (itemIndex) =>
				['anna', 'ben', 'cleo'][Math.floor(itemIndex / 10) + (itemIndex >= 25 ? 9 : 0)],
		},
	);
	expect(items.map(({ json }) => json.itemIndex)).toEqual(
		createNumberedItems(30).items.map((_, at) => at),
	);
	expect(maxRunning).toBe(4);
	expect(order.slice(0, 4)).toEqual([0, 10, 20, 25]);
	for (const [from, to] of [
		[0, 10],
		[10, 20],
		[20, 25],
	] as const) {
		const ownIndexes = order.filter((itemIndex) => itemIndex >= from && itemIndex < to);
		expect(ownIndexes).toEqual([...ownIndexes].sort((one, other) => one - other));
	}
});

describe('processing items', () => {
	const work = (setup: Pick<Setup, 'items' | 'signal' | 'continueOnFail'>) =>
		prepareNode('difyChatMessage', { url: 'http://127.0.0.1:9/v1' }, setup).context;

	test('each has its own signal, since Node 20 warns about more than ten listeners; all run concurrently', async () => {
		const signals = new Set<AbortSignal>();
		const running = workOnDifyItems(
			work({ items: createNumberedItems(20).items }),
			async (itemIndex, signal) => {
				signals.add(signal);
				if (itemIndex < 19) while (!signal.aborted) await delay(1);
				throw new Error(`item ${itemIndex}`);
			},
			{ concurrency: 20 },
		);
		await expect(running).rejects.toThrow('item 19');
		expect([signals.size, [...signals].filter(({ aborted }) => aborted).length]).toEqual([20, 20]);
	});

	test('stopping the execution aborts all items with its reason, and starts no more', async () => {
		const controller = new AbortController();
		const reasons: unknown[] = [];
		const running = workOnDifyItems(
			work({ items: createNumberedItems(9).items, signal: controller.signal }),
			async (_itemIndex, signal) => {
				while (!signal.aborted) await delay(1);
				reasons.push(signal.reason);
				return [];
			},
			{ concurrency: 3 },
		);
		controller.abort('stopped');
		expect(await running).toEqual([]);
		expect(reasons).toEqual(['stopped', 'stopped', 'stopped']);
	});

	test('without items, the operation runs once, as some n8n versions call tools', async () => {
		const sim = await startSim();
		const [item] = await sendMessages(sim, { items: [], type: 'CUSTOM.difyChatMessageTool' });
		expect(item).toMatchObject({ json: { answer: 'You said: hi' } });
		expect(
			await executeNode('difyFeedback', sim, {
				items: [],
				type: 'CUSTOM.difyFeedbackTool',
				parameters: { messageId: item!.json.messageId },
			}),
		).toMatchObject([{ json: { rating: 'like', success: true } }]);
		expect(
			await executeNode('difyConversation', sim, {
				items: [],
				type: 'CUSTOM.difyConversationTool',
				parameters: { resource: 'conversation', operation: 'getAll' },
			}),
		).toMatchObject([{ json: { id: item!.json.conversationId } }]);
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
			const error = await getNodeError(sendMessages(to, { type }));
			const [item] = await sendMessages(to, { type, continueOnFail: true });
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
