import { startApp } from '../../../lib/dify/client';
import { getItemError, executePrepared, prepareNode, getStreamedText } from '../../dify';
import { executeApp } from '../app';

describe('text: generate', () => {
	const generate = { resource: 'text', operation: 'generate' };
	const startWriter = async () =>
		await startApp({
			mode: 'completion',
			form: [{ kind: 'paragraph', variable: 'topic' }],
			reply: ({ inputs }) => ['About ', String(inputs.topic)],
		});

	it('returns one text per item, several concurrently, in order', async () => {
		const items = await executeApp(
			await startWriter(),
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

	it('streams the text into the chat', async () => {
		const fake = prepareNode('difyApp', await startWriter(), {
			mode: 'completion',
			streaming: true,
			parameters: { ...generate, text: 'sea' },
		});
		await executePrepared('difyApp', fake);
		expect(getStreamedText(fake)).toBe('About sea');
	});

	it('sends the form, and returns the response in Dify fields without Simplify', async () => {
		const [item] = await executeApp(
			await startWriter(),
			{ ...generate, inputsJson: '{"topic":"hills"}', simplify: false },
			{ mode: 'completion' },
		);
		expect(item!.json).toMatchObject({
			event: 'message',
			mode: 'completion',
			answer: 'About hills',
		});
	});

	it('has the error details in the item with continue on fail', async () => {
		const sim = await startApp({
			mode: 'completion',
			reply: () => ({
				steps: [
					{ text: 'Half' },
					{ error: { status: 400, code: 'completion_request_error', message: 'x' } },
				],
			}),
		});
		const [item] = await executeApp(sim, generate, { mode: 'completion', continueOnFail: true });
		expect(getItemError(item!)).toMatchObject({ answer: 'Half' });
	});
});
