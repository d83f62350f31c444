import { startSim } from '../../../lib/dify/client';
import { sendMessageError, getItemError, prepare, execute } from '../../dify';

describe('errors', () => {
	test('contain what happened, where, and what to do, without the key', async () => {
		const sim = await startSim();
		const credentials = {
			baseUrl: sim.url,
			apiKey: `app-${'NoSuchKey'.repeat(3)}`,
			keyType: 'app',
		};
		const failed = await sendMessageError(sim, { credentials });
		expect(failed.message).toContain('Dify rejected the API key');
		expect(failed.description).toContain(`${sim.url}/chat-messages`);
		expect(failed.description).toContain('Copy the API key again');
		expect(JSON.stringify(failed)).not.toContain('NoSuchKey');
	});

	test('name the reason if Dify cannot be reached', async () => {
		const failed = await sendMessageError(
			{ url: 'http://127.0.0.1:9/v1' },
			{ parameters: { options: { maxRetries: 0 } } },
		);
		expect(failed.message).toContain('Nothing is listening on 127.0.0.1:9');
		const [item] = await execute(
			prepare(
				{ url: 'http://127.0.0.1:9/v1' },
				{ continueOnFail: true, parameters: { options: { maxRetries: 0 } } },
			),
		);
		expect(getItemError(item!)).toMatchObject({
			type: 'connectionRefused',
			description: expect.any(String) as string,
		});
	});

	test('an expression error belongs to its item', async () => {
		const sim = await startSim();
		const items = await execute(
			prepare(sim, {
				items: [{ json: {} }, { json: {} }],
				perItem: [{ query: new Error('no such field') }, {}],
				continueOnFail: true,
			}),
		);
		expect(items.map((item) => getItemError(item)?.message ?? item.json.answer)).toEqual([
			'no such field',
			'You said: hi',
		]);
	});
});
