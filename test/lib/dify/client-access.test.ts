import { resolveDifyBase } from '../../../lib/dify/base-url';
import { KEY_TEST_PATHS, difyClient } from '../../../lib/dify/credentials';
import { latestConversation } from '../../../lib/dify/conversations';
import { uploadFile } from '../../../lib/dify/upload';
import { PAGES, SIM_VERSIONS, appKey, knowledgeKey, startDifySim } from '../../servers/dify';
import { calls, clientOf, failureOf, fileOf, keyTest, say, startApp, startSim } from './client';
import { useSimulator } from '../../servers/use-simulator';

const startDify = useSimulator(startDifySim);

/** Looks like a key, and is none. */
const WRONG = `app-${'Wrong'.repeat(5)}`;

describe.each(SIM_VERSIONS)('access, %s', (version) => {
	const start = async () => await startSim({ version });

	test('case 1: a request without a key is a credential error, and is sent once', async () => {
		const sim = await start();
		const failed = await failureOf(say(clientOf(sim, 'chat', { apiKey: '' }), {}, { retries: 3, retryPauseMs: 1 }));
		expect(failed).toMatchObject({
			status: 401,
			code: 'unauthorized',
			kind: 'unauthorized',
			retryable: false,
		});
		expect(failed.serverText).toContain("Authorization header must be provided and start with 'Bearer'");
		expect(failed.remedy).toContain('Dify API');
		expect(sim.requests).toHaveLength(1);
		expect(sim.requests[0]!.headers.authorization).toBeUndefined();
	});

	test('case 2: the key goes out with its scheme, also where it was pasted with one', async () => {
		const sim = await start();
		for (const apiKey of [appKey('chat'), ` ${appKey('chat')}\n`, `Bearer ${appKey('chat')}`])
			await say(clientOf(sim, 'chat', { apiKey }));
		expect(sim.requests.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill(`Bearer ${appKey('chat')}`));
	});

	test('case 3: the key of the other family', async () => {
		const sim = await start();
		const failed = await failureOf(clientOf(sim, 'chat', { apiKey: knowledgeKey() }).get(KEY_TEST_PATHS.app));
		expect(failed).toMatchObject({ status: 401, code: 'unauthorized', kind: 'unauthorized' });
		expect(failed.serverText).toContain('Access token is invalid');
		expect(failed.remedy).toContain('knowledge key');
		expect(sim.requests).toHaveLength(1);
		expect(await failureOf(clientOf(sim).get('/datasets', { page: 1, limit: 1 }))).toMatchObject({ status: 401 });
	});

	test('case 4: API switched off', async () => {
		const sim = await startApp(version, { mode: 'chat', apiEnabled: false });
		const failed = await failureOf(say(clientOf(sim)));
		expect(failed).toMatchObject({ status: 403, kind: 'appDisabled' });
		expect(failed.serverText).toContain("The app's API service has been disabled.");
		expect(failed.remedy).toContain('Backend service API');
	});

	test('case 5: the credential test asks what checks the key, by its type', async () => {
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
		// The index looks at no key: welcome, or a page that is not there (1.12.1, 1.14.2).
		const { status } = await fetch(`${sim.url}/`, { headers: { authorization: `Bearer ${WRONG}` } });
		expect(status).toBe(version === '2026' ? 200 : 404);
	});

	test.each(['/v1/', '/v1', '', '/', '/v1/chat-messages', '/v1/info '])(
		'case 6: base URL with "%s" asks the route once, without a doubled slash',
		async (suffix) => {
			const sim = await start();
			await say(clientOf({ url: sim.origin + suffix }));
			expect(sim.requests.map(({ url }) => url)).toEqual(['/v1/chat-messages']);
		},
	);

	test('case 6: the prefix of a foreign reverse proxy survives', async () => {
		const sim = await startSim({ version, prefix: '/tools/dify' });
		await say(clientOf({ url: `${sim.origin}/tools/dify/v1/` }));
		expect(sim.requests.map(({ url }) => url)).toEqual(['/tools/dify/v1/chat-messages']);
	});

	test('case 7: the web front end in place of the API, as 404 and as a page with 200', async () => {
		const sim = await start();
		const client = clientOf({ url: `${sim.origin}/apps` });
		const failed = await failureOf(client.get('/info'));
		expect(failed).toMatchObject({ kind: 'webFrontend' });
		expect(failed.remedy).toContain('web front end');
		expect(failed.remedy).toContain('/v1');
		expect(failed.url).toContain(`${sim.origin}/apps/info`);
		sim.fail({ status: 200, body: PAGES.nextApp, times: 2 });
		expect(await failureOf(clientOf(sim).get('/info'))).toMatchObject({ kind: 'webFrontend', status: 200 });
		// A run asks for a stream, and gets the page all the same.
		const run = await failureOf(say(clientOf(sim)));
		expect(run).toMatchObject({ kind: 'webFrontend', status: 200 });
		expect(`${run.message}${run.remedy}`).not.toMatch(/<html|<!doctype|JSON/i);
	});

	test('case 8: an unknown route, without HTML soup', async () => {
		const sim = await start();
		const failed = await failureOf(clientOf(sim).get('/no-such-route'));
		expect(failed).toMatchObject({ status: 404, kind: 'routeNotFound' });
		expect(failed.message).not.toMatch(/<|&/);
	});

	test('case 9: a wrong method', async () => {
		const sim = await start();
		expect(await failureOf(clientOf(sim).get('/chat-messages'))).toMatchObject({
			status: 405,
			code: 'method_not_allowed',
			kind: 'routeNotFound',
		});
	});

	test('case 10: a crash of Dify is not answered by sending the message again', async () => {
		const sim = await start();
		sim.fail({
			status: 500,
			body: '{"message":"Internal Server Error","code":"unknown","status":500}',
			contentType: 'application/json',
		});
		const failed = await failureOf(say(clientOf(sim), {}, { retries: 5, retryPauseMs: 1 }));
		expect(failed).toMatchObject({ status: 500, code: 'unknown', kind: 'serverError', retryable: false });
		expect(failed.remedy).toContain('may have been started');
		expect(calls(sim, '/chat-messages')).toBe(1);
	});

	test('case 11: limits and time-outs of the edge', async () => {
		const sim = await start();
		sim.fail({ status: 429, body: 'error code: 1015', contentType: 'text/plain' });
		expect(await failureOf(say(clientOf(sim)))).toMatchObject({
			status: 429,
			kind: 'rateLimited',
			retryable: true,
		});
		sim.fail({ status: 524, body: PAGES.cloudflare524 });
		const timeout = await failureOf(say(clientOf(sim), {}, { retries: 5, retryPauseMs: 1 }));
		expect(timeout).toMatchObject({ status: 524, kind: 'gateway', retryable: false });
		expect(timeout.message).not.toContain('<');
		expect(calls(sim, '/chat-messages')).toBe(2);
		// The edge let nothing through, so the message may go out again.
		sim.fail({ status: 429, body: 'error code: 1015', contentType: 'text/plain' });
		expect((await say(clientOf(sim), {}, { retries: 1, retryPauseMs: 1 })).result.text).toBe('You said: hi');
	});

	test('case 12: nginx finds an upload too large', async () => {
		const sim = await startSim({ version, nginxBodyLimit: 1024 * 1024 });
		const failed = await failureOf(
			uploadFile(clientOf(sim), fileOf(new Uint8Array(3 * 1024 * 1024), 'big.bin', 'application/octet-stream'), 'u1'),
		);
		expect(failed).toMatchObject({ kind: 'fileTooLarge' });
		expect(failed.message).not.toContain('<');
	});
});

describe('base URL', () => {
	test.each([
		['https://api.dify.ai/v1', 'https://api.dify.ai/v1'],
		['https://api.dify.ai', 'https://api.dify.ai/v1'],
		['http://192.168.1.20', 'http://192.168.1.20/v1'],
		['http://192.168.1.20:5001/v1/', 'http://192.168.1.20:5001/v1'],
		[' http://host/v1 \n', 'http://host/v1'],
		['host:8088', 'http://host:8088/v1'],
		['https://x/dify/v1', 'https://x/dify/v1'],
		['https://x/dify/v1/workflows/run', 'https://x/dify/v1'],
		['https://x/dify', 'https://x/dify'],
		['http://host/v1/chat-messages/', 'http://host/v1'],
	])('%s leads to %s', (typed, api) => {
		expect(resolveDifyBase(typed)).toBe(api);
	});

	test.each(['', 'ftp://host', 'http://user:hunter2@host/v1', 'http://host/v1?key=x'])(
		'"%s" is refused with a sentence, without what may be secret',
		(typed) => {
			expect(() => difyClient({ baseUrl: typed, apiKey: 'app-x' })).toThrow(
				expect.objectContaining({ kind: 'invalidUrl' }) as Error,
			);
			expect(() => difyClient({ baseUrl: typed, apiKey: 'app-x' })).not.toThrow(/hunter2|key=x/);
		},
	);
});

describe('the key', () => {
	test('appears in no error, also where a server echoes it', async () => {
		const sim = await startSim();
		for (const body of [
			`no entry for ${WRONG}`,
			`{"code":"unauthorized","message":"bad ${WRONG}","status":401}`,
			`<title>Bearer ${WRONG}</title>`,
		]) {
			sim.fail({ status: 401, body, contentType: body.startsWith('<') ? 'text/html' : 'text/plain' });
			const failed = await failureOf(say(clientOf(sim, 'chat', { apiKey: WRONG })));
			expect(JSON.stringify([failed.message, failed.remedy, failed.facts, failed.serverText])).not.toContain(WRONG);
		}
	});

	test('with characters that no header can carry is refused before anything is sent', () => {
		expect(() => difyClient({ baseUrl: 'http://host', apiKey: 'app-ключ' })).toThrow(
			expect.objectContaining({ kind: 'invalidInput' }) as Error,
		);
	});
});

describe('a Dify that cannot be reached', () => {
	test('is told as that, and a message is sent again where the connection was refused', async () => {
		const sim = await startSim();
		const client = clientOf(sim);
		const { port } = new URL(sim.url);
		await sim.close();
		const refused = await failureOf(say(client, {}, { retries: 1, retryPauseMs: 1 }));
		expect(refused.kind).toBe('refused');
		expect(refused.message).toContain(`127.0.0.1:${port}`);
		const back = client.get('/info');
		const again = await startDify({ port: Number(port) });
		expect(await back).toMatchObject({ mode: 'chat' });
		await again.close();
	});

	test('a question is asked again, a change is not', async () => {
		const sim = await startSim();
		sim.fail({ path: '/conversations', status: 502, body: 'bad gateway', contentType: 'text/plain', times: 2 });
		expect(await latestConversation(clientOf(sim), 'u1')).toBeUndefined();
		expect(calls(sim, '/conversations', 'GET')).toBe(3);
		sim.fail({ path: '/files', status: 502, body: 'bad gateway', contentType: 'text/plain', times: 2 });
		expect(await failureOf(uploadFile(clientOf(sim), fileOf('x'), 'u1'))).toMatchObject({ kind: 'gateway' });
		expect(calls(sim, '/files/upload')).toBe(1);
	});

	test('a redirect is named with its target, and the key does not follow it', async () => {
		const sim = await startSim();
		const other = await startSim();
		sim.fail({ status: 302, headers: { Location: `${other.url}/chat-messages` }, times: 1 });
		const failed = await failureOf(say(clientOf(sim)));
		expect(failed).toMatchObject({ kind: 'redirect', status: 302 });
		expect(failed.meaning).toContain(other.url);
		expect(other.requests).toHaveLength(0);
	});
});
