import fc from 'fast-check';

import {
	type LlamaServerSim,
	type WireRequest,
	reply,
	startLlamaServerSim,
} from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';
import { closedPort } from '../../support/listening';
import { examples } from '../../support/properties';
import { ask, CHAT, connect, failureOf } from './client';

const SAMPLE = 'local-key-1234567890';
const CANARY = 'sk-Zq83bXk29LmPw0Rt7VyHc4NdGf61';
const BEARER = { authorization: `Bearer ${SAMPLE}` };
const start = useSimulator(startLlamaServerSim);
const last = (server: LlamaServerSim): WireRequest => server.requests.at(-1)!;

describe('redirects', () => {
	test('to the same origin a POST is sent again with its body and its key, where the status says so', async () => {
		const server = await start({ apiKey: SAMPLE });
		const connection = connect(server.url, { headers: BEARER });
		for (const status of [307, 308]) {
			server.route('POST /v1/chat/completions', reply.redirect('/chat/completions', status));
			expect((await ask(connection)).failed).toBeUndefined();
			expect(last(server)).toMatchObject({
				target: '/chat/completions',
				body: CHAT,
				headers: BEARER,
			});
		}
		expect(server.requests).toHaveLength(4);
	});

	test('to another origin a GET is followed, without the key and the extra headers', async () => {
		const [server, other] = [await start({ apiKey: SAMPLE }), await start()];
		server.route('GET /v1/models', reply.redirect(`${other.url}/v1/models`, 302));
		const connection = connect(server.url, { headers: { ...BEARER, 'x-tenant': 'tenant-secret' } });
		const answer = await connection.call(`${connection.url.api}/models`);
		expect(answer).toMatchObject({ status: 200, url: `${other.url}/v1/models` });
		for (const { rawHeaders, bytes } of other.requests)
			expect(JSON.stringify([rawHeaders, bytes.toString()])).not.toMatch(/local-key|tenant/);
		for (const { headers } of server.requests)
			expect(headers).toMatchObject({ ...BEARER, 'x-tenant': 'tenant-secret' });
	});

	test('the key that is missing there is told as what it is: a redirect, not a wrong key', async () => {
		const [server, other] = [await start({ apiKey: SAMPLE }), await start({ apiKey: SAMPLE })];
		server.route('GET /v1/models', reply.redirect(`${other.url}/v1/models`, 302));
		const connection = connect(server.url, { headers: BEARER });
		const failed = await failureOf(
			async () => await connection.json(`${connection.url.api}/models`),
		);
		expect(failed).toMatchObject({ kind: 'redirect', status: 401 });
		expect(failed!.meaning).toContain(`redirects this request to ${other.url}/v1/models`);
	});

	test('content and keys reach no origin but that of the credential, whatever redirects say', async () => {
		const [server, other] = [await start(), await start()];
		const connection = connect(server.url, { headers: BEARER });
		const elsewhere = fc.constantFrom(
			other.url,
			server.url.replace('http:', 'https:'),
			server.url.replace('127.0.0.1', 'localhost'),
			server.url.replace('//', '//user:word@').replace('127.0.0.1', 'localhost'),
		);
		// Hops at the own origin come before the one that leaves it.
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.constantFrom(307, 308), { maxLength: 3 }),
				fc.constantFrom(301, 302, 303, 307, 308),
				elsewhere,
				fc.constantFrom('POST' as const, 'PUT' as const, 'PATCH' as const, 'DELETE' as const),
				async (hops, status, target, method) => {
					hops.forEach((hop, at) => {
						server.route(`${method} /hop/${at}`, reply.redirect(`/hop/${at + 1}`, hop));
					});
					server.route(`${method} /hop/${hops.length}`, reply.redirect(`${target}/x`, status));
					const answer = await connection.call(`${server.url}/hop/0`, { method, json: CHAT });
					expect(answer.status).toBe(status);
					const refusal = connection.refusal(answer);
					expect(refusal).toMatchObject({ kind: 'redirect', status });
					expect(refusal.meaning).toContain(server.url);
					expect(refusal.meaning).toContain(new URL(target).host);
				},
			),
			examples(40),
		);
		expect(other.requests).toEqual([]);
	});

	test.each([
		['as it is', CANARY],
		['as a part', CANARY.slice(5, 22)],
		['in capitals', CANARY.toUpperCase()],
		['in hexadecimal', Buffer.from(CANARY).toString('hex')],
		['in base64', Buffer.from(CANARY).toString('base64url')],
	])('an address that repeats the key %s is not asked', async (_way, written) => {
		const [server, other] = [await start(), await start()];
		server.route('GET /props', reply.redirect(`${other.url}/v1/models?k=${written}`, 302));
		const connection = connect(server.url, { headers: { authorization: `Bearer ${CANARY}` } });
		for (let attempt = 0; attempt < 3; attempt++)
			expect((await connection.call(`${server.url}/props`)).status).toBe(302);
		expect(other.requests).toEqual([]);
	});

	test('nor one that repeats the value of an extra header', async () => {
		const [server, other] = [await start(), await start()];
		const value = 'our-tenant-of-the-north';
		server.route('GET /props', reply.redirect(`${other.url}/login/${value}`, 302));
		const connection = connect(server.url, { headers: { 'x-tenant': value } });
		expect((await connection.call(`${server.url}/props`)).status).toBe(302);
		expect(other.requests).toEqual([]);
	});

	test('back at the own origin they are sent again', async () => {
		const [server, other] = [await start(), await start()];
		server.route('GET /v1/models', reply.redirect(`${other.url}/back`, 302));
		other.route('GET /back', reply.redirect(`${server.url}/props`, 302));
		expect(
			(await connect(server.url, { headers: BEARER }).call(`${server.url}/v1/models`)).status,
		).toBe(200);
		expect(other.requests[0]!.headers).not.toHaveProperty('authorization');
		expect(last(server)).toMatchObject({ target: '/props', headers: BEARER });
	});

	test.each([301, 302, 303])('%i on a POST is an error that names the address', async (status) => {
		const [server, other] = [await start(), await start()];
		server.route(
			'POST /v1/chat/completions',
			reply.redirect(`${other.url}/v1/chat/completions`, status),
		);
		const { failed } = await ask(connect(server.url));
		expect(failed).toMatchObject({ kind: 'redirect', status });
		expect(failed).toMatchObject({
			meaning: `The server at ${server.url} redirects this request to ${other.url}/v1/chat/completions`,
			url: `${server.url}/v1/chat/completions`,
		});
		expect(other.requests).toHaveLength(0);
	});

	test('an upload is read once, so it is not sent again', async () => {
		const server = await start();
		server.route('POST /v1/audio/transcriptions', reply.redirect('/audio/transcriptions'));
		const content = (async function* () {
			await Promise.resolve();
			yield Buffer.from('abc');
		})();
		const connection = connect(server.url);
		const answer = await connection.call(`${connection.url.api}/audio/transcriptions`, {
			body: { content, contentType: 'multipart/form-data; boundary=x', length: 3 },
		});
		expect(answer.status).toBe(307);
		expect(connection.refusal(answer).meaning).toContain(`${server.url}/audio/transcriptions`);
		expect(last(server)).toMatchObject({
			headers: { 'content-length': '3', 'content-type': 'multipart/form-data; boundary=x' },
		});
		expect(last(server).bytes.toString()).toBe('abc');
	});

	test.each(['ftp://elsewhere/', 'http://', 'javascript:alert(1)'])(
		'a redirect to %s is not followed',
		async (location) => {
			const server = await start();
			server.route('GET /props', reply.redirect(location, 302));
			const connection = connect(server.url);
			const answer = await connection.call(`${server.url}/props`);
			expect([answer.status, connection.refusal(answer).kind, server.requests.length]).toEqual([
				302,
				'redirect',
				1,
			]);
		},
	);

	test('a circle ends after five', async () => {
		const server = await start();
		server.route('GET /props', reply.redirect('/props', 302));
		expect((await connect(server.url).call(`${server.url}/props`)).status).toBe(302);
		expect(server.requests).toHaveLength(6);
	});

	test('a redirect to where nothing listens names that address', async () => {
		const server = await start();
		const port = await closedPort();
		server.route('GET /props', reply.redirect(`http://127.0.0.1:${port}/props`, 302));
		const failed = await failureOf(
			async () => await connect(server.url).call(`${server.url}/props`),
		);
		expect(failed!.kind).toBe('refused');
		expect(failed!.message).toContain(`Nothing listens on 127.0.0.1:${port}`);
	});
});
