import * as fc from 'fast-check';
import {
	describeDifyFailure,
	describeRunError,
	type DifyAnswer,
	type DifyFailure,
} from '../../../../lib/dify/errors/classify';
import type { FailureKind } from '../../../../lib/errors/kinds';
import { remedyFor } from '../../../../lib/errors/remedies';
import {
	appKey,
	type AppSpec,
	defaultApps,
	type DifySim,
	type DifySimOptions,
	knowledgeKey,
	PAGES,
	type Reply,
} from '../../../servers/dify';
import { type Answer, ask, type Ask, chat, eventsOf, form, waitFor } from '../ask';
import { startSim, UNKNOWN_ID } from '../client';
import { httpFixture } from '../../../support/streams';
import { playText } from '../play';
import { examples } from '../../../support/properties';
import { cpuMilliseconds, LINEAR_CPU_MS } from '../../../support/time';

/** A failure with the advice that its error gives. */
interface Advised extends DifyFailure {
	remedy: string;
}

function advised(answer: DifyAnswer): Advised {
	const failure = describeDifyFailure(answer);
	return { ...failure, remedy: remedyFor(failure.kind, { service: 'dify' }).remedy };
}

function json(status: number, code: string, message: unknown = 'text'): DifyFailure {
	return describeDifyFailure({
		status,
		body: JSON.stringify({ code, message, status }),
		contentType: 'application/json',
	});
}

describe('bodies of any kind', () => {
	const of = (status: number, body?: string, method?: string, challenge?: string) =>
		describeDifyFailure({ status, body, method, challenge });

	test.each([
		['titles that never end', `<html>${'<title '.repeat(140_000)}`],
		['headings that never end', `<html>${'<h1 '.repeat(250_000)}`],
		['blanks', JSON.stringify({ code: 'x', message: `${' '.repeat(1_000_000)}x` })],
		['blanks as plain text', `x${' '.repeat(1_000_000)}x`],
	])('%s: a megabyte of it does not keep n8n busy', (_name, body) => {
		let kind: string | undefined;
		const work = () => (kind = of(500, body).kind);
		expect(cpuMilliseconds(work)).toBeLessThan(LINEAR_CPU_MS);
		expect(kind).toBe('serverError');
	});

	test("Cloudflare's answer for a tunnel that is down", () => {
		expect(of(530, 'error code: 1033').kind).toBe('gateway');
	});

	test.each([
		[401, PAGES.nginx401, 'proxyRefuses', '401 Authorization Required'],
		[
			403,
			'<html><head><title>403 Forbidden</title></head></html>',
			'proxyRefuses',
			'403 Forbidden',
		],
		[403, 'error code: 1020', 'proxyRefuses', 'error code: 1020'],
		[200, 'It works!', 'wrongServer', 'It works!'],
		[404, PAGES.werkzeug404, 'routeNotFound', '404 Not Found'],
		[413, PAGES.nginx413, 'fileTooLarge', '413 Request Entity Too Large'],
		[429, PAGES.nginx429, 'rateLimited', '429 Too Many Requests'],
		[502, PAGES.nginx502, 'gateway', '502 Bad Gateway'],
		[504, PAGES.nginx504, 'gateway', '504 Gateway Time-out'],
		[524, PAGES.cloudflare524, 'gateway', 'api.dify.ai | 524: A timeout occurred'],
		[429, PAGES.cloudflare1015, 'rateLimited', 'error code: 1015'],
		[200, PAGES.nextApp, 'webFrontend', 'Dify'],
		[200, '<html><title>Sign in</title></html>', 'webFrontend', 'Sign in'],
		[404, PAGES.next404, 'webFrontend', '404: This page could not be found.'],
		[404, '', 'routeNotFound', undefined],
		[200, 'null\n', 'emptyAnswer', undefined],
		[200, undefined, 'emptyAnswer', undefined],
		[302, '', 'redirect', undefined],
		[500, '<html><p>', 'serverError', undefined],
		[418, 'short and stout', 'unknown', 'short and stout'],
		[503, '[]', 'gateway', '[]'],
	] as Array<[number, string | undefined, FailureKind, string | undefined]>)(
		'%i %j',
		(status, body, kind, serverText) => {
			expect(of(status, body)).toMatchObject({ status, kind });
			expect(of(status, body).serverText).toBe(serverText);
			expect(of(status, body).code).toBeUndefined();
		},
	);

	test('foreign JSON: no code, the error as object, detail, an error inside a 200', () => {
		expect(of(429, '{"message":"API rate limit exceeded"}')).toMatchObject({
			kind: 'rateLimited',
			retryable: true,
		});
		expect(of(400, '{"detail":"odd"}')).toMatchObject({ kind: 'requestFormat', serverText: 'odd' });
		expect(
			of(200, JSON.stringify({ code: 'not_chat_app', message: 'x', status: 400 })),
		).toMatchObject({
			kind: 'wrongAppType',
			status: 400,
		});
		expect(of(200, '{}')).toMatchObject({ kind: 'emptyAnswer', retryable: false });
	});

	test('what refuses in front of Dify is not Dify: Kong, a password of nginx, another server', () => {
		expect(of(401, '{"message":"No API key found in request"}')).toMatchObject({
			kind: 'proxyRefuses',
		});
		expect(of(403, '{"message":"Forbidden"}')).toMatchObject({
			kind: 'proxyRefuses',
			serverText: 'Forbidden',
		});
		expect(of(401, PAGES.nginx401, 'GET', 'Basic realm="Dify"')).toMatchObject({
			kind: 'proxyPassword',
		});
		expect(of(401, '{"error":{"message":"no"}}')).toMatchObject({
			kind: 'wrongServer',
			serverText: 'no',
		});
		expect(
			of(404, '{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}').kind,
		).toBe('wrongServer');
		expect(json(401, 'unauthorized', 'Access token is invalid').kind).toBe('unauthorized');
	});

	test.each([
		['knowledge-rate-limit', 403, 'knowledgeRate'],
		['plan-no-documents-left', 400, 'planLimit'],
	])('a plan of Dify Cloud on a real Dify: %s', (name, status, kind) => {
		const { body, ...answer } = httpFixture(`dify-main-2026-07/${name}.http`);
		const failed = describeDifyFailure({ ...answer, body: body.toString() });
		expect(failed).toMatchObject({ status, kind, retryable: false });
		expect(remedyFor(failed.kind).remedy).toContain('The key is fine');
	});

	test('case 79: an empty or null message is none, and the title says something', () => {
		expect(json(400, 'invalid_param', '')).not.toHaveProperty('serverText');
		expect(json(413, 'file_too_large', null)).not.toHaveProperty('serverText');
		expect(of(500, '{}')).toEqual({ kind: 'serverError', status: 500, retryable: false });
	});

	test('keys never reach the text or the code', () => {
		const text = `bad key ${appKey('chat')}, ${knowledgeKey()}, sk-abcdefgh1234 or Bearer abc.def`;
		expect(json(401, 'unauthorized', text).serverText).toBe('bad key [key], [key], [key] or [key]');
		expect(json(400, `bad ${appKey('chat')}`).code).toBe('bad [key]');
		expect(
			describeRunError({ cause: 'errorEvent', code: `bad ${appKey('chat')}`, message: 'm' }).code,
		).toBe('bad [key]');
	});

	test('a GET may be tried again after a gateway error, a POST only when nothing ran', () => {
		for (const status of [429, 502, 503, 504]) expect(of(status, '', 'get').retryable).toBe(true);
		for (const status of [500, 524, 401, 404]) expect(of(status, '', 'GET').retryable).toBe(false);
		for (const status of [500, 502, 503, 504, 524]) expect(of(status, '').retryable).toBe(false);
		expect(
			describeDifyFailure({ status: 429, body: '{"code":"rate_limit_error"}', method: 'GET' })
				.retryable,
		).toBe(false);
	});

	test('long texts are cut, long HTML is not shown', () => {
		expect(json(400, 'completion_request_error', '说'.repeat(5000)).serverText).toHaveLength(1000);
		expect(of(500, 'x'.repeat(5000)).serverText).toHaveLength(200);
		const fragment = { status: 403, body: 'x\n<h1>Blocked</h1>', contentType: 'text/html' };
		expect(describeDifyFailure(fragment)).toMatchObject({
			kind: 'proxyRefuses',
			serverText: 'Blocked',
		});
		expect(
			of(500, `<!doctype html><title>T &amp; U</title>${'<p>soup</p>'.repeat(999)}`).serverText,
		).toBe('T & U');
	});

	test('no status and no body crashes it, and every message and remedy says something', () => {
		const status = fc.integer({ min: 100, max: 599 });
		const body = fc.oneof(
			fc.string(),
			fc.json(),
			fc
				.record({ code: fc.jsonValue(), message: fc.jsonValue(), status: fc.jsonValue() })
				.map((value) => JSON.stringify(value)),
			fc.string().map((text) => `<html><title>${text}`),
		);
		fc.assert(
			fc.property(status, body, (code, text) => {
				const failure = describeDifyFailure({ status: code, body: text });
				expect(failure.serverText?.trim()).not.toBe('');
				expect(remedyFor(failure.kind, { service: 'dify' }).title).not.toBe('');
			}),
			examples(500),
		);
	});
});

describe("the simulator's answers, by case", () => {
	let sim: DifySim;

	async function start(change: Partial<AppSpec> = {}, options: DifySimOptions = {}): Promise<void> {
		const apps = defaultApps().map((app) => ({ ...app, ...change }));
		sim = await startSim({ apps, ...options });
	}

	function failureOf(answer: Answer, method = 'POST'): Advised {
		const contentType = String(answer.headers['content-type']);
		return advised({ status: answer.status, body: answer.text, contentType, method });
	}

	async function failing(method: string, path: string, options: Ask = {}): Promise<Advised> {
		return failureOf(await ask(sim, method, path, options), method);
	}

	async function chatFailing(over: Record<string, unknown>, options: Ask = {}): Promise<Advised> {
		return failureOf(await chat(sim, over, options));
	}

	const replying = (reply: Reply) => ({ reply: () => reply });

	describe('', () => {
		test('cases 1 to 3: no key, no scheme, wrong family', async () => {
			await start();
			for (const options of [
				{ authorization: null },
				{ authorization: appKey('chat') },
				{ authorization: 'Basic x' },
				{ key: knowledgeKey() },
			]) {
				const failure = await failing('GET', '/info', options);
				expect(failure).toMatchObject({
					code: 'unauthorized',
					status: 401,
					kind: 'unauthorized',
					retryable: false,
				});
				expect(failure.remedy).toContain('API key in the "Dify API" credential');
			}
			expect(await failing('GET', '/datasets')).toMatchObject({
				kind: 'unauthorized',
				serverText: 'Access token is invalid',
			});
		});

		test('case 4: API switched off, by either code', async () => {
			await start({ apiEnabled: false });
			const message = "The app's API service has been disabled.";
			expect(await failing('GET', '/info')).toMatchObject({
				status: 403,
				kind: 'appDisabled',
				serverText: message,
			});
		});

		test('cases 7 to 9: web front end, unknown route, wrong method', async () => {
			await start();
			const front = await failing('POST', `${sim.origin}/chat-messages`, { json: {} });
			expect(front).toMatchObject({ status: 404, kind: 'webFrontend' });
			expect(front.remedy).toContain('web front end of Dify');
			const home = failureOf(await ask(sim, 'GET', `${sim.origin}/`), 'GET');
			expect(home.kind).toBe('webFrontend');
			expect(await failing('GET', '/nothing')).toMatchObject({
				status: 404,
				kind: 'routeNotFound',
				serverText: '404 Not Found',
			});
			expect(await failing('GET', '/chat-messages')).toMatchObject({
				code: 'method_not_allowed',
				status: 405,
				kind: 'routeNotFound',
			});
		});

		test('cases 10 to 12: crash, edge limit, edge timeout, nginx limit', async () => {
			await start({}, { nginxBodyLimit: 100 });
			const crash = await failing('POST', '/chat-messages', {
				raw: '[]',
				headers: { 'Content-Type': 'application/json' },
			});
			expect(crash).toMatchObject({
				code: 'unknown',
				status: 500,
				kind: 'serverError',
				retryable: false,
			});
			sim.fail({ status: 429, body: PAGES.cloudflare1015, contentType: 'text/plain' });
			expect(await chatFailing({})).toMatchObject({
				status: 429,
				kind: 'rateLimited',
				retryable: true,
			});
			sim.fail({ status: 524, body: PAGES.cloudflare524 });
			expect(await chatFailing({})).toMatchObject({
				status: 524,
				kind: 'gateway',
				retryable: false,
			});
			const file = form([
				{ name: 'file', filename: 'a.bin', type: 'a/b', content: 'x'.repeat(200) },
			]);
			expect(await failing('POST', '/files/upload', file)).toMatchObject({
				status: 413,
				kind: 'fileTooLarge',
			});
		});

		test('cases 15, 16, 21: user, inputs, conversation id', async () => {
			await start();
			const user = await chatFailing({ user: '', inputs: undefined });
			expect(user).toMatchObject({
				code: 'invalid_param',
				kind: 'missingUser',
				serverText: 'Arg user must be provided.',
			});
			const inputs = await chatFailing({ inputs: undefined, query: 'a secret question' });
			expect(inputs.kind).toBe('invalidParam');
			expect(inputs.serverText).toBe(
				'1 validation error for ChatRequestPayload\ninputs: Field required',
			);
			const id = await chatFailing({ conversation_id: 'abc' });
			expect(id.kind).toBe('invalidId');
			expect(id.serverText).toContain(
				'conversation_id: Value error, conversation_id must be a valid UUID',
			);
		});

		test('case 17: an empty query, as 400 or as an error event without a code', async () => {
			await start();
			expect(await chatFailing({ query: '' })).toMatchObject({ status: 400, kind: 'emptyQuery' });
			const mode = 'advanced-chat';
			const isTold = (text: string) => /"event":"(?:error|workflow_finished)"/.test(text);
			const answer = await chat(sim, { query: '' }, { mode, until: isTold });

			const { result } = playText(answer.text);
			expect(result).toMatchObject({ status: 'failed', error: { message: 'query is required' } });
			expect(result.error && describeRunError(result.error)).toMatchObject({
				kind: 'emptyQuery',
				retryable: false,
			});
		});

		test('cases 19 and 20: inputs, and the crash that a list makes of a number', async () => {
			await start({
				form: [
					{ kind: 'text-input', variable: 'name', required: true },
					{ kind: 'number', variable: 'count' },
					{ kind: 'select', variable: 'tone', options: ['a'] },
				],
			});
			const first = await chat(sim, { inputs: { name: 'x' }, response_mode: 'blocking' });
			const again = await chatFailing({ conversation_id: first.json.conversation_id });
			expect(again).toMatchObject({ kind: 'inputs', serverText: 'name is required in input form' });
			expect(again.remedy).toContain('every turn');
			expect(await chatFailing({ inputs: { name: 5 } })).toMatchObject({ kind: 'inputs' });
			expect(await chatFailing({ inputs: { name: 'x', tone: 'b' } })).toMatchObject({
				kind: 'inputs',
			});
			expect(await chatFailing({ inputs: { name: 'x', count: [] } })).toMatchObject({
				status: 500,
				kind: 'serverError',
			});
		});

		test('case 22: conversations of others, without the suffix that frameworks add', async () => {
			await start();
			const app = sim.app('chat');
			const web = sim.store.addConversation(app, 'u1', { source: 'webapp' });
			const other = sim.store.addConversation(app, 'u2');
			const gone = sim.store.addConversation(app, 'u1');
			app.conversations.delete(gone.id);
			for (const { id } of [web, other, gone, { id: UNKNOWN_ID }]) {
				const answer = await chat(sim, { conversation_id: id });
				expect(answer.text).toContain('You have requested this URI');
				expect(failureOf(answer)).toMatchObject({
					code: 'not_found',
					status: 404,
					kind: 'conversationNotFound',
					serverText: 'Conversation Not Exists.',
				});
			}
		});

		test('cases 23 and 24: app types, agents in blocking mode', async () => {
			await start();
			expect(await chatFailing({}, { mode: 'completion' })).toMatchObject({
				code: 'not_chat_app',
				kind: 'wrongAppType',
			});
			const run = { json: { inputs: {}, user: 'u1' } };
			const completion = await failing('POST', '/completion-messages', run);
			expect(completion).toMatchObject({ code: 'app_unavailable', kind: 'appUnavailable' });
			expect(completion.remedy).toContain('its type is another one');
			expect(await failing('POST', '/workflows/run', run)).toMatchObject({
				code: 'not_workflow_app',
				kind: 'wrongAppType',
			});
			const agent = await chatFailing({ response_mode: 'blocking' }, { mode: 'agent-chat' });
			expect([agent.kind, agent.remedy.includes('switch streaming on')]).toEqual([
				'streamingRequired',
				true,
			]);
		});

		test("case 25: the model provider's key is not the Dify key", async () => {
			const refuse = {
				status: 400,
				code: 'completion_request_error',
				message: 'Incorrect API key provided: 401',
			};
			await start(replying({ steps: [], refuse }));
			const failure = await chatFailing({ response_mode: 'blocking' });
			expect(failure).toMatchObject({
				kind: 'modelProvider',
				serverText: refuse.message,
				retryable: false,
			});
			expect(failure.remedy).toContain('The key of the "Dify API" credential is fine');
		});

		test('case 26: too many at once is retryable by either code, a used-up quota is not', async () => {
			await start({ maxActive: 1, quota: 1, ...replying({ steps: [{ wait: 60_000 }] }) });
			const first = chat(sim);
			await waitFor(() => sim.runs.length === 1);
			expect(await chatFailing({})).toMatchObject({
				code: 'rate_limit_error',
				status: 429,
				kind: 'quota',
				retryable: false,
			});
			sim.app('chat').quota = undefined;
			const busy = await chat(sim);
			expect(busy.status).toBe(400);
			expect(failureOf(busy)).toMatchObject({ kind: 'tooManyRequests', retryable: true });
			await ask(sim, 'POST', `/chat-messages/${sim.runs[0]?.taskId}/stop`, {
				json: { user: 'u1' },
			});
			expect((await first).status).toBe(200);
		});

		test('cases 28 to 30: unknown file, no JSON type, workflow versions', async () => {
			await start();
			const file = { type: 'image', transfer_method: 'local_file', upload_file_id: UNKNOWN_ID };
			expect(await chatFailing({ files: [file] })).toMatchObject({
				kind: 'fileRejected',
				serverText: 'Invalid upload file',
			});
			expect(await failing('POST', '/chat-messages', { raw: '{}' })).toMatchObject({
				status: 415,
				kind: 'requestFormat',
			});
			const mode = 'advanced-chat';
			expect(await chatFailing({ workflow_id: 'x' }, { mode })).toMatchObject({
				code: 'bad_request',
				kind: 'workflowVersion',
			});
			expect(await chatFailing({ workflow_id: UNKNOWN_ID }, { mode })).toMatchObject({
				status: 404,
				kind: 'workflowVersion',
			});
		});

		test('case 66: an unknown run', async () => {
			await start();
			const mode = 'workflow';
			const absent = await ask(sim, 'GET', `/workflows/run/${UNKNOWN_ID}`, { mode });

			expect(failureOf(absent, 'GET')).toMatchObject({ status: 404, kind: 'runNotFound' });
		});

		test('cases 68 and 69: a replay of another user, stops', async () => {
			await start();
			const mode = 'workflow';
			const { json: made } = await ask(sim, 'POST', '/workflows/run', {
				mode,
				json: { inputs: {}, user: 'u1' },
			});
			const events = await failing(
				'GET',
				`/workflow/${String(made.workflow_run_id)}/events?user=u2`,
				{ mode },
			);
			expect(events).toMatchObject({
				status: 404,
				kind: 'runNotFound',
			});
			const stop = '/workflows/tasks/none/stop';
			expect((await ask(sim, 'POST', stop, { mode, json: { user: 'u1' } })).json).toEqual({
				result: 'success',
			});
			expect(await failing('POST', stop, { mode, json: {} })).toMatchObject({
				kind: 'missingUser',
			});
			expect(await failing('POST', stop, { mode })).toMatchObject({
				status: 415,
				kind: 'requestFormat',
			});
		});

		test('cases 71 to 75: feedback', async () => {
			await start();
			const { message_id: id } = (await chat(sim, { response_mode: 'blocking' })).json;
			const rate = async (message: unknown, own: Record<string, unknown>) =>
				await failing('POST', `/messages/${String(message)}/feedbacks`, {
					json: { user: 'u1', ...own },
				});
			expect(await rate(id, { rating: null })).toMatchObject({
				status: 400,
				kind: 'nothingToRevoke',
			});
			expect(await rate(id, { rating: 'like', user: 'u2' })).toMatchObject({
				status: 404,
				kind: 'messageNotFound',
			});
			expect(await rate(UNKNOWN_ID, { rating: 'like' })).toMatchObject({
				status: 404,
				kind: 'messageNotFound',
			});
			const page = await rate('abc', { rating: 'like' });
			expect([page.kind, page.remedy.includes('an ID has the wrong form')]).toEqual([
				'routeNotFound',
				true,
			]);
			const word = await rate(id, { rating: 'LIKE' });
			expect([word.kind, word.serverText]).toEqual([
				'invalidParam',
				"1 validation error for MessageFeedbackPayload\nrating: Input should be 'like' or 'dislike'",
			]);
			expect(await rate(id, { rating: 'like', user: '' })).toMatchObject({ kind: 'missingUser' });
			const limit = await failing('GET', '/app/feedbacks?limit=102');
			expect(limit.serverText).toContain('limit: Input should be less than or equal to 101');
		});

		test('cases 77 to 79: conversations', async () => {
			await start();
			const limit = await failing('GET', '/conversations?user=u1&limit=0');
			expect([limit.status, limit.kind]).toEqual([400, 'invalidParam']);
			const last = await failing('GET', `/conversations?user=u1&last_id=${UNKNOWN_ID}`);
			expect(last).toMatchObject({
				kind: 'conversationNotFound',
				serverText: 'Last Conversation Not Exists.',
			});
			expect(await failing('DELETE', `/conversations/${UNKNOWN_ID}`)).toMatchObject({
				status: 415,
				kind: 'requestFormat',
			});
			const { id } = sim.store.addConversation(sim.app('chat'), 'u1');
			const rename = async (own: Record<string, unknown>) =>
				await failing('POST', `/conversations/${id}/name`, { json: { user: 'u1', ...own } });
			expect((await rename({ name: ' ' })).serverText).toContain(
				'name is required when auto_generate is false',
			);
			const unsaid = await rename({ auto_generate: true });
			expect(unsaid).toMatchObject({ status: 400, kind: 'invalidParam' });
			expect(unsaid).not.toHaveProperty('serverText');
		});

		test('cases 80 to 83: files and audio', async () => {
			await start(
				{ speechToText: true },
				{ blockedExtensions: ['exe'], limits: { other: 0.0001 } },
			);
			const part = { name: 'file', filename: 'a.txt', type: 'text/plain', content: 'x' };
			const up = async (...parts: Parameters<typeof form>[0]) =>
				await failing('POST', '/files/upload', form(parts));
			expect(await up({ ...part, name: 'file0' })).toMatchObject({
				code: 'no_file_uploaded',
				kind: 'fileRejected',
			});
			expect(await up(part, { ...part, name: 'more' })).toMatchObject({
				code: 'too_many_files',
				kind: 'fileRejected',
			});
			expect(await up({ ...part, filename: 'a.exe' })).toMatchObject({
				code: 'invalid_param',
				kind: 'fileRejected',
			});
			expect(await up({ ...part, content: 'x'.repeat(500) })).toMatchObject({
				status: 413,
				kind: 'fileTooLarge',
			});
			expect(await up({ ...part, type: undefined })).toMatchObject({
				status: 415,
				kind: 'fileType',
			});
			const colon = await ask(
				sim,
				'POST',
				'/files/upload',
				form([{ ...part, filename: 'a:b.txt' }]),
			);

			expect(colon.status).toBe(201);
			const { id } = (await ask(sim, 'POST', '/files/upload', form([part]))).json;
			expect(await failing('GET', `/files/${String(id)}/preview`)).toMatchObject({
				code: 'file_not_found',
				kind: 'fileNotFound',
			});
			const audio = form([{ ...part, type: 'audio/mpeg' }]);
			expect(await failing('POST', '/audio-to-text', audio)).toMatchObject({
				status: 415,
				kind: 'fileType',
			});
			const nothing = await failing('POST', '/text-to-audio', {
				json: { message_id: UNKNOWN_ID, user: 'u1' },
			});
			expect(nothing).toMatchObject({ status: 200, kind: 'emptyAnswer' });
		});

		test('cases 84 to 86: knowledge', async () => {
			await start();
			const key = knowledgeKey();
			const { id } = (await ask(sim, 'POST', '/datasets', { key, json: { name: 'Papers' } })).json;
			const path = `/datasets/${String(id)}`;
			const status = await failing('GET', `${path}/documents/${UNKNOWN_ID}/indexing-status`, {
				key,
			});
			expect(status).toMatchObject({ kind: 'notFound', serverText: 'Documents not found.' });
			expect(
				await failing('GET', '/datasets/abc/documents/b/indexing-status', { key }),
			).toMatchObject({
				kind: 'routeNotFound',
			});
			const retrieve = async (own: Record<string, unknown>) =>
				await failing('POST', `${path}/retrieve`, { key, json: { query: 'x', ...own } });
			expect(await retrieve({ query: 'x'.repeat(251) })).toMatchObject({
				status: 400,
				kind: 'invalidParam',
			});
			expect(await retrieve({ retrieval_model: { top_k: 1 } })).toMatchObject({
				status: 400,
				kind: 'invalidParam',
			});
			sim.store.planText =
				'Sorry, you have reached the knowledge base request rate limit of your subscription.';
			const plan = await retrieve({});
			expect(plan).toMatchObject({
				status: 403,
				kind: 'knowledgeRate',
				serverText: sim.store.planText,
			});
			expect(plan.remedy).toContain('The key is fine');
		});

		test("errors inside a stream are described from the reducer's result", async () => {
			const error = { code: 'provider_not_initialize', status: 400, message: 'No credentials.' };
			await start(replying({ steps: [{ text: 'half' }, { error }] }));
			const answer = await chat(sim, {}, { until: (text) => text.includes('"error"') });
			expect(eventsOf(answer.text).at(-1)).toMatchObject(error);
			const { result } = playText(answer.text);
			expect(result.text).toBe('half');
			expect(result.error && describeRunError(result.error)).toMatchObject({
				code: error.code,
				status: error.status,
				serverText: error.message,
				kind: 'providerCredentials',
			});
		});
	});
});
