import { retryDelay } from '../../../lib/dify/client';
import { MAX_RETRY_AFTER_MS } from '../../../lib/http/retry-after';
import { ServerError } from '../../../lib/errors/server-error';
import { latestConversation } from '../../../lib/dify/app/conversations';
import { uploadFile } from '../../../lib/dify/files/upload';
import { type DifySim, knowledgeKey, PAGES, startDifySim } from '../../servers/dify';
import { calls, clientOf, failureOf, fileOf, say, startSim, UNKNOWN_ID } from './client';
import { useSimulator } from '../../servers/use-simulator';
import { difyClient } from '../../../lib/dify/credentials';

const startDify = useSimulator(startDifySim);

describe('access', () => {
	const start = async () => await startSim({});

	test('case 7: the web front end in place of the API, as 404 and as a page with 200', async () => {
		const sim = await start();
		const client = clientOf({ url: `${sim.origin}/apps` });
		const failed = await failureOf(client.get('/info'));
		expect(failed).toMatchObject({ kind: 'webFrontend' });
		expect(failed.remedy).toContain('web front end');
		expect(failed.remedy).toContain('/v1');
		expect(failed.url).toContain(`${sim.origin}/apps/info`);
		sim.fail({ status: 200, body: PAGES.nextApp, times: 2 });
		expect(await failureOf(clientOf(sim).get('/info'))).toMatchObject({
			kind: 'webFrontend',
			status: 200,
		});
		// A run asks for a stream, and gets the page all the same.
		const run = await failureOf(say(clientOf(sim)));
		expect(run).toMatchObject({ kind: 'webFrontend', status: 200 });
		expect(`${run.message}${run.remedy}`).not.toMatch(/<html|<!doctype|JSON/i);
	});

	test('case 8: an unknown route, without HTML in the message', async () => {
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
		expect(failed).toMatchObject({
			status: 500,
			code: 'unknown',
			kind: 'serverError',
			retryable: false,
		});
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
		expect((await say(clientOf(sim), {}, { retries: 1, retryPauseMs: 1 })).result.text).toBe(
			'You said: hi',
		);
	});
});

describe('a Dify that cannot be reached', () => {
	test('is reported as such, and a message is sent again if the connection was refused', async () => {
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

	test('reads are retried, changes are not', async () => {
		const sim = await startSim();
		sim.fail({
			path: '/conversations',
			status: 502,
			body: 'bad gateway',
			contentType: 'text/plain',
			times: 2,
		});
		expect(await latestConversation(clientOf(sim), 'u1')).toBeUndefined();
		expect(calls(sim, '/conversations', 'GET')).toBe(3);
		sim.fail({
			path: '/files',
			status: 502,
			body: 'bad gateway',
			contentType: 'text/plain',
			times: 2,
		});
		expect(await failureOf(uploadFile(clientOf(sim), fileOf('x'), 'u1'))).toMatchObject({
			kind: 'gateway',
		});
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

describe('files and knowledge as far as the client goes', () => {
	const knowledge = (sim: DifySim) =>
		difyClient({ baseUrl: sim.url, apiKey: knowledgeKey(), keyType: 'knowledge' });

	test('case 81: the preview of a file that no message used', async () => {
		const sim = await startSim({});
		const id = await uploadFile(clientOf(sim), fileOf('x'), 'u1');
		expect(
			await failureOf(clientOf(sim).get(`/files/${id}/preview`, { user: 'u1' })),
		).toMatchObject({
			status: 404,
			code: 'file_not_found',
			kind: 'fileNotFound',
		});
	});

	test('case 83: JSON null in place of audio is no answer', async () => {
		const sim = await startSim({});
		expect(
			await failureOf(
				clientOf(sim).send('POST', '/text-to-audio', { message_id: UNKNOWN_ID, user: 'u1' }),
			),
		).toMatchObject({ kind: 'emptyAnswer' });
	});

	test('case 84: the document in place of its batch, and ids that are none', async () => {
		const sim = await startSim({});
		const { id } = await knowledge(sim).send('POST', '/datasets', { name: 'k' });
		const path = `/datasets/${String(id)}`;
		const { batch, document } = await knowledge(sim).send(
			'POST',
			`${path}/document/create-by-text`,
			{
				name: 'n',
				text: 't',
				indexing_technique: 'economy',
			},
		);
		expect(
			await knowledge(sim).get(`${path}/documents/${String(batch)}/indexing-status`),
		).toMatchObject({
			data: [{ indexing_status: 'completed' }],
		});
		const wrong = await failureOf(
			knowledge(sim).get(`${path}/documents/${(document as { id: string }).id}/indexing-status`),
		);
		expect(wrong).toMatchObject({ status: 404, kind: 'notFound' });
		expect(wrong.serverText).toContain('Documents not found.');
		expect(await failureOf(knowledge(sim).get('/datasets/abc/documents'))).toMatchObject({
			status: 404,
			kind: 'routeNotFound',
		});
	});

	test('case 85: a limit of the plan is not called a bad key', async () => {
		const sim = await startSim({});
		sim.fail({
			status: 403,
			body: '{"code":"forbidden","message":"Sorry, you have reached the knowledge base request rate limit of your subscription.","status":403}',
			contentType: 'application/json',
		});
		const failed = await failureOf(knowledge(sim).get('/datasets', { page: 1, limit: 1 }));
		expect(failed).toMatchObject({ kind: 'knowledgeRate' });
		expect(failed.remedy).toContain('The key is fine');
	});

	test('case 86: a query that is too long', async () => {
		const sim = await startSim({});
		const { id } = (await knowledge(sim).send('POST', '/datasets', { name: 'k' })) as {
			id: string;
		};
		expect(
			await failureOf(
				knowledge(sim).send('POST', `/datasets/${id}/retrieve`, { query: 'x'.repeat(251) }),
			),
		).toMatchObject({ status: 400 });
		expect(
			await failureOf(
				knowledge(sim).send('POST', `/datasets/${id}/retrieve`, {
					query: 'x',
					retrieval_model: { top_k: 1 },
				}),
			),
		).toMatchObject({ status: 400, kind: 'invalidParam' });
	});
});

describe('pauses between retries', () => {
	const after = (retryAfterMs?: unknown) =>
		retryDelay(
			new ServerError({ kind: 'busy', message: 'm', remedy: 'r', facts: { retryAfterMs } }),
			500,
		);

	test("Dify's Retry-After is obeyed, with a minimum of the package's pause, and a maximum", () => {
		expect([after(), after(100), after(4_000), after('4000')]).toEqual([500, 500, 4_000, 500]);
		expect([after(MAX_RETRY_AFTER_MS), after(MAX_RETRY_AFTER_MS + 1)]).toEqual([
			MAX_RETRY_AFTER_MS,
			undefined,
		]);
	});

	test('a stopped execution ends the wait', async () => {
		const sim = await startSim();
		const abort = new AbortController();
		const waiting = clientOf(sim).withSignal(abort.signal).pause(3_600_000, sim.url);
		abort.abort();
		expect(await failureOf(waiting)).toMatchObject({ kind: 'cancelled' });
	});

	test('the query of a URL leaves out what is not there', () => {
		const client = clientOf({ url: 'http://host/v1' });
		expect(client.url('/messages', { user: 'a&b c', limit: 0, last_id: undefined })).toBe(
			'http://host/v1/messages?user=a%26b+c&limit=0',
		);
		expect(client.url('/messages')).toBe('http://host/v1/messages');
	});
});

test("Dify's error under a status that says success, as some proxies pass it on", async () => {
	const sim = await startSim({});
	const envelope = { code: 'internal_server_error', message: 'The worker is gone', status: 500 };
	sim.fail({ status: 200, body: JSON.stringify(envelope), times: 1 });
	const failed = await failureOf(clientOf(sim).get('/info'));
	expect(failed).toMatchObject({ kind: 'serverError', code: 'internal_server_error' });
	expect(failed.serverText).toBe('The worker is gone');
	sim.fail({ status: 200, body: '{"error":{"message":"No backend"}}', times: 1 });
	expect((await failureOf(clientOf(sim).get('/info'))).serverText).toBe('No backend');
});
