import { mask } from '../../../lib/errors/mask';
import { createDifyClient, KEY_TEST_PATHS } from '../../../lib/dify/credentials';
import { appKey, knowledgeKey } from '../../simulators/dify';
import { clientOf, failureOf, keyTest, say, startApp, startSim } from './client';

/** Looks like a key. */
const WRONG = `app-${'Wrong'.repeat(5)}`;

describe('access', () => {
	const start = async () => await startSim({});

	test('case 1: a request without a key is a credential error, and is sent once', async () => {
		const sim = await start();
		const failed = await failureOf(say(clientOf(sim, 'chat', { apiKey: '' }), {}, { retries: 3 }));
		expect(failed).toMatchObject({
			status: 401,
			code: 'unauthorized',
			type: 'unauthorized',
			retryable: false,
		});
		expect(failed.serverText).toContain(
			"Authorization header must be provided and start with 'Bearer'",
		);
		expect(failed.suggestion).toContain('Dify API');
		expect(sim.requests).toHaveLength(1);
		expect(sim.requests[0]!.headers.authorization).toBeUndefined();
	});

	test('case 2: the key is sent with its scheme, even if it was pasted with one', async () => {
		const sim = await start();
		for (const apiKey of [appKey('chat'), ` ${appKey('chat')}\n`, `Bearer ${appKey('chat')}`])
			await say(clientOf(sim, 'chat', { apiKey }));
		expect(sim.requests.map(({ headers }) => headers.authorization)).toEqual(
			Array(3).fill(`Bearer ${appKey('chat')}`),
		);
	});

	test('case 3: a key of the other type', async () => {
		const sim = await start();
		const failed = await failureOf(
			clientOf(sim, 'chat', { apiKey: knowledgeKey() }).get(KEY_TEST_PATHS.app),
		);
		expect(failed).toMatchObject({ status: 401, code: 'unauthorized', type: 'unauthorized' });
		expect(failed.serverText).toContain('Access token is invalid');
		expect(failed.suggestion).toContain('knowledge key');
		expect(sim.requests).toHaveLength(1);
		expect(await failureOf(clientOf(sim).get('/datasets', { page: 1, limit: 1 }))).toMatchObject({
			status: 401,
		});
	});

	test('case 4: API disabled', async () => {
		const sim = await startApp({ mode: 'chat', apiEnabled: false });
		const failed = await failureOf(say(clientOf(sim)));
		expect(failed).toMatchObject({ status: 403, type: 'appDisabled' });
		expect(failed.serverText).toContain("The app's API service has been disabled.");
		expect(failed.suggestion).toContain('Backend service API');
	});

	test('case 5: the credential test requests a route that checks the key, by key type', async () => {
		const sim = await start();
		const ask = async (data: { apiKey: string; keyType: string }) =>
			await keyTest({ baseUrl: `${sim.origin}/`, ...data });
		expect(await ask({ apiKey: appKey('chat'), keyType: 'app' })).toBe(200);
		expect(await ask({ apiKey: WRONG, keyType: 'app' })).toBe(401);
		expect(await ask({ apiKey: knowledgeKey(), keyType: 'app' })).toBe(401);
		expect(await ask({ apiKey: knowledgeKey(), keyType: 'knowledge' })).toBe(200);
		expect(await ask({ apiKey: appKey('chat'), keyType: 'knowledge' })).toBe(401);
		expect(sim.requests.map(({ path }) => path)).toEqual([
			...['/apps/annotations', '/apps/annotations', '/apps/annotations'],
			...['/datasets', '/datasets'],
		]);
		// The index checks no key: welcome, or a missing page (1.12.1, 1.14.2).
		const { status } = await fetch(`${sim.url}/`, {
			headers: { authorization: `Bearer ${WRONG}` },
		});
		expect(status).toBe(404);
	});
});

describe('the key', () => {
	test('appears in no error, even if a server echoes it', async () => {
		const sim = await startSim();
		for (const body of [
			`no entry for ${WRONG}`,
			`{"code":"unauthorized","message":"bad ${WRONG}","status":401}`,
			`<title>Bearer ${WRONG}</title>`,
		]) {
			sim.fail({
				status: 401,
				body,
				contentType: body.startsWith('<') ? 'text/html' : 'text/plain',
			});
			const failed = await failureOf(say(clientOf(sim, 'chat', { apiKey: WRONG })));
			expect(
				JSON.stringify([failed.message, failed.suggestion, failed.facts, failed.serverText]),
			).not.toContain(WRONG);
		}
	});

	test('is a secret of a client that does not send it', () => {
		const client = createDifyClient({ baseUrl: 'http://dify', apiKey: WRONG }, undefined, false);
		const { headers, secrets } = client.endpoint;
		expect(headers).toEqual({});
		expect(mask(`it was ${WRONG}`, secrets)).toBe('it was ***');
	});

	test('with characters that headers cannot contain is rejected before sending', () => {
		expect(() => createDifyClient({ baseUrl: 'http://host', apiKey: 'app-ключ' })).toThrow(
			expect.objectContaining({ type: 'invalidInput' }) as Error,
		);
	});
});
