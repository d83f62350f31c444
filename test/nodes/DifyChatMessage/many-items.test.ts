import { waitFor } from '../../lib/dify/wait-for';
import { startApp } from '../../lib/dify/client';
import type { Step } from '../../simulators/dify';
import { delay } from '../../support/node-builtins';
import { sendMessageError, createNumberedItems, prepare, execute } from '../dify';

describe('many items', () => {
	test('run concurrently, and the output keeps the order and the pairing', async () => {
		const releases: Array<() => void> = [];
		let maxRunning = 0;
		const sim = await startApp({
			mode: 'chat',
			reply: ({ query }) => ({
				steps: [{ wait: new Promise<void>((resolve) => releases.push(resolve)) }, { text: query }],
			}),
		});
		const running = execute(
			prepare(sim, {
				...createNumberedItems(12),
				parameters: { options: { maxConcurrentItems: 4 } },
			}),
		);
		// Each continues when the maximum is running, the latest first; the first item ends last.
		for (let finishedCount = 0; finishedCount < 12; finishedCount++) {
			await waitFor(() => releases.length === Math.min(4, 12 - finishedCount));
			maxRunning = Math.max(
				maxRunning,
				sim.runs.filter(({ status }) => status === 'running').length,
			);
			releases.pop()!();
		}
		const items = await running;
		expect(items.map(({ json, pairedItem }) => [json.answer, pairedItem])).toEqual(
			Array.from({ length: 12 }, (_, at) => [`q${at}`, { item: at }]),
		);
		expect(maxRunning).toBe(4);
	});

	test('run one after another by default', async () => {
		const sim = await startApp({
			mode: 'chat',
			maxActive: 1,
			reply: ({ query }) => ({ steps: [{ wait: 3 }, { text: query }] }),
		});
		expect(
			await execute(
				prepare(sim, { ...createNumberedItems(5), parameters: { options: { maxRetries: 0 } } }),
			),
		).toHaveLength(5);
	});

	test.each([1, 3])(
		'an error does not affect the other items with continue on fail (%i concurrently)',
		async (maxConcurrentItems) => {
			const steps: Step[] = [
				{ text: 'half' },
				{ error: { code: 'completion_request_error', status: 400, message: 'no more' } },
			];
			const sim = await startApp({
				mode: 'chat',
				reply: ({ query }) => (query === 'q1' ? { steps } : query),
			});
			const items = await execute(
				prepare(sim, {
					...createNumberedItems(4),
					continueOnFail: true,
					parameters: { options: { maxConcurrentItems } },
				}),
			);
			expect(items.map(({ json }) => json.answer)).toEqual(['q0', undefined, 'q2', 'q3']);
			const { taskId, conversationId, messageId } = sim.runs.find(({ query }) => query === 'q1')!;
			expect(items[1]).toEqual({
				json: {
					error: {
						message: 'no more',
						description: expect.stringMatching(
							/^no more\. .*the model provider returned an error/,
						) as string,
						serverText: 'no more',
						type: 'providerError',
						code: 'completion_request_error',
						status: 400,
						answer: 'half',
						url: `${sim.url}/chat-messages`,
						difyVersion: '1.16.0',
						retryable: false,
						taskId,
						conversationId,
						messageId,
					},
				},
				pairedItem: { item: 1 },
			});
		},
	);

	test('stop after the first error, also in Dify', async () => {
		const sim = await startApp({
			mode: 'chat',
			reply: ({ query }) => ({
				steps:
					query === 'q2'
						? [{ wait: 1500 }, { error: { status: 500, message: 'boom' } }]
						: [{ text: 'a' }, { wait: 60_000 }],
			}),
		});
		const error = await sendMessageError(sim, {
			...createNumberedItems(9),
			parameters: { options: { maxConcurrentItems: 3 } },
		});
		expect(error.message).toBe('boom');
		expect(error.context.itemIndex).toBe(2);
		expect(sim.stops).toHaveLength(2);
		expect(sim.runs).toHaveLength(3);
	});

	test('end with the execution, and no further one starts', async () => {
		const sim = await startApp({
			mode: 'chat',
			reply: () => ({ steps: [{ text: 'a' }, { wait: 60_000 }] }),
		});
		const controller = new AbortController();
		const running = sendMessageError(sim, {
			...createNumberedItems(9),
			signal: controller.signal,
			parameters: { options: { maxConcurrentItems: 3 } },
		});
		await waitFor(() => sim.runs.length === 3 && sim.runs.every(({ events }) => events.length > 0));
		await delay(20);
		controller.abort();
		expect((await running).message).toBe('The execution was stopped');
		expect([sim.stops.length, sim.runs.length]).toEqual([3, 3]);
	});
});
