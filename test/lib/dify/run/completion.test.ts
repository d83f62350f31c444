import { complete, withText } from '../../../../lib/dify/run/completion';
import { RUN_ROUTES, stopRun } from '../../../../lib/dify/run/run';
import { appKey } from '../../../servers/dify';
import { waitFor } from '../ask';
import { calls, clientOf, failureOf, startApp } from '../client';

const form = (...variables: string[]) => ({
	user_input_form: variables.map((variable) => ({ paragraph: { variable, label: variable } })),
});

describe('a text generator', () => {
	it('writes', async () => {
		const sim = await startApp({
			mode: 'completion',
			form: [{ kind: 'paragraph', variable: 'topic' }],
			reply: () => ['A ', 'poem'],
		});
		const shown: string[] = [];
		const result = await complete(
			clientOf(sim, 'completion'),
			{ inputs: { topic: 'sea' }, user: 'u1' },
			{
				onDeltas: async (deltas) => {
					shown.push(...deltas.map(({ text }) => text));
					await Promise.resolve();
				},
			},
		);
		expect([result.text, shown.join('')]).toEqual(['A poem', 'A poem']);
		expect(sim.runs[0]).toMatchObject({ inputs: { topic: 'sea' }, user: 'u1' });
	});

	it('is never retried, since its text cannot be recovered', async () => {
		const sim = await startApp({
			mode: 'completion',
			reply: () => ({
				steps: [
					{ text: 'Once' },
					{ error: { status: 400, code: 'completion_request_error', message: 'x' } },
				],
			}),
		});
		const failed = await failureOf(
			complete(clientOf(sim, 'completion'), { inputs: {}, user: 'u1' }, { retries: 3 }),
		);
		expect([failed.partialText, calls(sim, '/completion-messages')]).toEqual(['Once', 1]);
	});

	it.each([
		['chat', 'Dify Chat Message'],
		['workflow', 'Dify Workflow'],
	] as const)('D66: says what the app is, where it is another one: %s', async (mode, node) => {
		const sim = await startApp({ mode });
		const client = clientOf(sim, 'completion', { apiKey: appKey(mode) });
		const failed = await failureOf(complete(client, { inputs: {}, user: 'u1' }));
		expect([failed.kind, failed.remedy]).toEqual(['wrongAppType', expect.stringContaining(node)]);
	});

	describe('of', () => {
		const request = { inputs: {}, user: 'u1' };

		it('D63: text, usage and the ID of the message', async () => {
			const sim = await startApp({ mode: 'completion', reply: () => ['A ', 'poem'] });
			const result = await complete(clientOf(sim, 'completion'), request);
			expect(result).toMatchObject({
				text: 'A poem',
				messageId: sim.runs[0]!.messageId,
				usage: { total_tokens: expect.any(Number) as number },
				warnings: [],
			});
		});

		it('D64: the text of a message_file event is text', async () => {
			const said = { emit: 'message_file', fields: { answer: 'See ' } };
			const sim = await startApp({
				mode: 'completion',
				reply: () => ({ steps: [said, { text: 'this' }] }),
			});
			expect(await complete(clientOf(sim, 'completion'), request)).toMatchObject({
				text: 'See this',
				files: [],
			});
		});

		it('D65: a stream that ends early fails with what had arrived, and nothing else is asked', async () => {
			const sim = await startApp(
				{ mode: 'completion', reply: () => ['Once', ' upon'] },
				{ stream: { cut: { events: 1, how: 'eof' } } },
			);
			const failed = await failureOf(
				complete(clientOf(sim, 'completion'), request, { retries: 3 }),
			);
			expect([failed.kind, failed.partialText]).toEqual(['streamEndedEarly', 'Once']);
			expect(sim.requests.map(({ path }) => path)).toEqual(['/completion-messages']);
		});

		it('D67: a text that somebody stopped is a result, with a warning', async () => {
			const sim = await startApp({
				mode: 'completion',
				reply: () => ({ steps: [{ text: 'Once' }, { wait: 60_000 }, { text: ' upon' }] }),
			});
			const client = clientOf(sim, 'completion');
			const running = complete(client, request);
			await waitFor(() => sim.runs[0]?.events.some(({ event }) => event === 'message') === true);
			expect(await stopRun(client, RUN_ROUTES.completion, sim.runs[0]!.taskId, 'u1')).toBe(true);
			expect(await running).toMatchObject({
				status: 'succeeded',
				text: 'Once',
				warnings: [expect.stringContaining('The text may be cut off')],
			});
		});

		it('D68: of a text that the moderation took back, only the replacement counts', async () => {
			const sim = await startApp({
				mode: 'completion',
				reply: () => ({
					steps: [
						{ text: 'Secret' },
						{ replace: 'I cannot say that.', reason: 'output_moderation' },
					],
				}),
			});
			expect((await complete(clientOf(sim, 'completion'), request)).text).toBe(
				'I cannot say that.',
			);
		});
	});

	it('has a text in its one variable for it', () => {
		expect(withText({}, 'sea', form('topic'))).toEqual({ topic: 'sea' });
		expect(withText({ tone: 'sad' }, 'sea', form('topic', 'tone'))).toEqual({
			tone: 'sad',
			topic: 'sea',
		});
		expect(withText({ a: 1 }, '', form('topic'))).toEqual({ a: 1 });
		expect(() => withText({}, 'sea', form('topic', 'tone'))).toThrow('not clear which variable');
		expect(() => withText({}, 'sea', form())).toThrow('no variable for the field Text');
	});
});
