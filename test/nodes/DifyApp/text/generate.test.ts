import { startApp } from '../../../lib/dify/client';
import { errorIn, executeIn, prepareNode, shownIn } from '../../dify';
import { run } from '../app';

describe('text: generate', () => {
	const generate = { resource: 'text', operation: 'generate' };
	const writer = async () =>
		await startApp({
			mode: 'completion',
			form: [{ kind: 'paragraph', variable: 'topic' }],
			reply: ({ inputs }) => ['About ', String(inputs.topic)],
		});

	it('returns one text per item, several concurrently, in order', async () => {
		const items = await run(
			await writer(),
			{ ...generate, options: { maxConcurrentItems: 4 } },
			{
				mode: 'completion',
				items: Array.from({ length: 6 }, () => ({ json: {} })),
				perItem: Array.from({ length: 6 }, (_, at) => ({ text: `t${at}` })),
			},
		);
		expect(items.map(({ json, pairedItem }) => [json.answer, pairedItem])).toEqual(
			Array.from({ length: 6 }, (_, at) => [`About t${at}`, { item: at }]),
		);
		expect(items[0]!.json).toMatchObject({ messageId: expect.any(String) as string, user: 'u1' });
	});

	it('types it into the chat', async () => {
		const fake = prepareNode('difyApp', await writer(), {
			mode: 'completion',
			streaming: true,
			parameters: { ...generate, text: 'sea' },
		});
		await executeIn('difyApp', fake);
		expect(shownIn(fake)).toBe('About sea');
	});

	it('takes the form, and gives the answer as Dify would', async () => {
		const [item] = await run(
			await writer(),
			{ ...generate, inputsJson: '{"topic":"hills"}', simplify: false },
			{ mode: 'completion' },
		);
		expect(item!.json).toMatchObject({
			event: 'message',
			mode: 'completion',
			answer: 'About hills',
		});
	});

	it('continues with the details of an error, if the node may', async () => {
		const sim = await startApp({
			mode: 'completion',
			reply: () => ({
				steps: [
					{ text: 'Half' },
					{ error: { status: 400, code: 'completion_request_error', message: 'x' } },
				],
			}),
		});
		const [item] = await run(sim, generate, { mode: 'completion', continueOnFail: true });
		expect(errorIn(item!)).toMatchObject({ answer: 'Half' });
	});
});
