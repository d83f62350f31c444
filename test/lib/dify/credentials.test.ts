import { mask } from '../../../lib/errors/mask';
import { createDifyClient } from '../../../lib/dify/credentials';
import { appKey } from '../../simulators/dify';
import { createClient, getServerError, sendMessage, startApp, startSim } from './client';

/** Looks like a key. */
const WRONG_KEY = `app-${'Wrong'.repeat(5)}`;

describe('access to Dify', () => {
	const start = async () => await startSim({});

	test('a request without a key is a credential error, and is sent once', async () => {
		const sim = await start();
		const error = await getServerError(
			sendMessage(createClient(sim, 'chat', { apiKey: '' }), { retries: 3 }),
		);
		expect(error).toMatchObject({
			status: 401,
			code: 'unauthorized',
			type: 'unauthorized',
			retryable: false,
		});
		expect(error.serverText).toContain(
			"Authorization header must be provided and start with 'Bearer'",
		);
		expect(error.suggestion).toContain('Dify API');
		expect(sim.requests).toHaveLength(1);
		expect(sim.requests[0]!.headers.authorization).toBeUndefined();
	});

	test('the key is sent with its scheme, even if it was pasted with one', async () => {
		const sim = await start();
		for (const apiKey of [appKey('chat'), ` ${appKey('chat')}\n`, `Bearer ${appKey('chat')}`])
			await sendMessage(createClient(sim, 'chat', { apiKey }));
		expect(sim.requests.map(({ headers }) => headers.authorization)).toEqual(
			Array(3).fill(`Bearer ${appKey('chat')}`),
		);
	});

	test('an app whose API is disabled is reported as such', async () => {
		const sim = await startApp({ mode: 'chat', apiEnabled: false });
		const error = await getServerError(sendMessage(createClient(sim)));
		expect(error).toMatchObject({ status: 403, type: 'appDisabled' });
		expect(error.serverText).toContain("The app's API service has been disabled.");
		expect(error.suggestion).toContain('Backend service API');
	});
});

describe('the API key', () => {
	test('appears in no error, even if a server echoes it', async () => {
		const sim = await startSim();
		for (const body of [
			`no entry for ${WRONG_KEY}`,
			`{"code":"unauthorized","message":"bad ${WRONG_KEY}","status":401}`,
			`<title>Bearer ${WRONG_KEY}</title>`,
		]) {
			sim.fail({
				status: 401,
				body,
				contentType: body.startsWith('<') ? 'text/html' : 'text/plain',
			});
			const error = await getServerError(
				sendMessage(createClient(sim, 'chat', { apiKey: WRONG_KEY })),
			);
			expect(
				JSON.stringify([error.message, error.suggestion, error.facts, error.serverText]),
			).not.toContain(WRONG_KEY);
		}
	});

	test('is a secret of a client that does not send it', () => {
		const client = createDifyClient({ baseUrl: 'http://dify', apiKey: WRONG_KEY }).withoutKey();
		const { headers, secrets } = client.endpoint;
		expect(headers).toEqual({});
		expect(mask(`it was ${WRONG_KEY}`, secrets)).toBe('it was ***');
	});

	test('with characters that headers cannot contain is rejected before sending', () => {
		expect(() => createDifyClient({ baseUrl: 'http://host', apiKey: 'app-ключ' })).toThrow(
			expect.objectContaining({ type: 'invalidInput' }) as Error,
		);
	});
});
