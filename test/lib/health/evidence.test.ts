import { sleep } from 'n8n-workflow';

import { measureSpeed } from '../../../lib/health/speed/measure';
import { closeChannels } from '../../../lib/http/dispatcher';
import { connectTo } from '../../../lib/servers/connect';
import { closeRawServers, rawServer, type RawAnswering, whole } from '../../support/raw-answers';
import { check, finding, ids, json, routes } from './support';

afterEach(async () => {
	await closeChannels();
	await closeRawServers();
});

const owned = (owner: string) => ({
	object: 'list',
	data: [{ id: 'm', object: 'model', owned_by: owner }],
});
const list = json('200 OK', owned('local'));
const later =
	(ms: number, answer: RawAnswering): RawAnswering =>
	(path, socket, head) =>
		void sleep(ms).then(() => answer(path, socket, head));

describe('what a check may conclude', () => {
	it('each request has its own time limit: a server that uses more than half of it is healthy', async () => {
		const url = await rawServer(
			later(1_400, routes({ '/v1/models': list, '/health': json('200 OK', { status: 'ok' }) })),
		);
		const result = await check(url, { timeLimitMs: 2_400 }, { apiKey: '' });
		expect(result.status).toBe('healthy');
		expect(ids(result)).not.toContain('stuck');
	});

	it.each<[string, RawAnswering, string]>([
		[
			'a page of a proxy',
			whole('502 Bad Gateway', '<html><title>502</title></html>', { 'Content-Type': 'text/html' }),
			'healthy',
		],
		[
			'a gateway that cannot reach it',
			json('504 Gateway Timeout', { message: 'timeout' }),
			'healthy',
		],
		['its own word in a 200', json('200 OK', { status: 'unhealthy' }), 'degraded'],
		['its own word in another', json('200 OK', { healthy: false }), 'degraded'],
		['its own 503', whole('503 Service Unavailable'), 'degraded'],
	])('/health is %s', async (_name, health, status) => {
		const url = await rawServer(
			routes({ '/v1/models': json('200 OK', owned('sglang')), '/health': health }),
		);
		expect((await check(url, {}, { apiKey: '' })).status).toBe(status);
	});

	it('the Stable Diffusion WebUI lists its checkpoints elsewhere', async () => {
		const checkpoints = [{ title: 'v1-5.safetensors [6ce0161689]', model_name: 'v1-5' }];
		const missing = json('404 Not Found', { detail: 'Not Found' });
		const url = await rawServer(
			routes({ '/sdapi/v1/sd-models': json('200 OK', checkpoints) }, missing),
		);
		const result = await check(url, {}, { apiKey: '' });
		expect(result).toMatchObject({
			status: 'healthy',
			server: { kind: 'stableDiffusionWebUi' },
			models: [{ id: 'v1-5' }],
		});
		expect(result.summary).toMatch(/^Stable Diffusion WebUI answers in \d+ ms with 1 model\.$/);
	});

	it('a wrong path of a FastAPI server is one all the same', async () => {
		const url = await rawServer(routes({}, json('404 Not Found', { detail: 'Not Found' })));
		expect((await check(url, {}, { apiKey: '' })).status).toBe('misconfigured');
	});

	it('an empty list of a server of no known kind is a warning: mlx-lm lists its cache only', async () => {
		const url = await rawServer(
			routes({ '/v1/models': json('200 OK', { object: 'list', data: [] }) }),
		);
		const result = await check(url, {}, { apiKey: '' });
		expect(result.status).toBe('healthy');
		expect(finding(result, 'noModels').severity).toBe('warning');
	});

	it('a program that answers everything with the same list is no model server', async () => {
		const result = await check(await rawServer(list), {}, { apiKey: '' });
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'wrongServer').observed).toContain('the same as at every other route');
	});

	it('LiteLLM is asked for its liveness route, and never for /health, however slow its list is', async () => {
		const asked: string[] = [];
		const answers = routes({
			'/v1/models': later(
				1500,
				json('200 OK', { data: [{ id: 'g', created: 1_677_610_602, owned_by: 'openai' }] }),
			),
			'/health/liveliness': json('200 OK', "I'm alive!" as unknown as object),
		});
		const url = await rawServer((path, socket, head) => {
			asked.push(path);
			answers(path, socket, head);
		});
		expect((await check(url, { timeLimitMs: 6_000 }, { apiKey: '' })).status).toBe('healthy');
		expect((await check(url, { timeLimitMs: 300 }, { apiKey: '' })).status).not.toBe('healthy');
		expect(asked).toContain('/health/liveliness');
		expect(asked).not.toContain('/health');
	});

	it.each([
		['the list needs the key, and other routes refuse everybody', '401 Unauthorized', 'healthy'],
		['the list is open, and other routes refuse the key', '200 OK', 'unauthorized'],
	])('a key: %s', async (_name, withoutKey, status) => {
		const refused = json('401 Unauthorized', { detail: 'no' });
		const url = await rawServer((path, socket, head) => {
			const isList =
				path === '/v1/models' && (/^authorization:/im.test(head) || withoutKey === '200 OK');
			(isList ? list : refused)(path, socket, head);
		});
		expect((await check(url)).status).toBe(status);
	});

	it('a key that is refused where nobody needs one: says to leave it out', async () => {
		const url = await rawServer((path, socket, head) =>
			(/^authorization:/im.test(head)
				? json('401 Unauthorized', {})
				: routes({ '/v1/models': list }))(path, socket, head),
		);
		expect(finding(await check(url), 'unauthorized').advice).toContain('empty the API Key');
	});
});

describe('a model whose numbers went wrong', () => {
	const chunk = (content: string, finish: string | null = null) =>
		`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
	const usage = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 32 } })}\n\n`;

	async function failureOf(body: string): Promise<string | undefined> {
		const stream = `${body}data: [DONE]\n\n`;
		const url = await rawServer(whole('200 OK', stream, { 'Content-Type': 'text/event-stream' }));
		const run = await measureSpeed(connectTo({ baseUrl: url }), {
			model: 'm',
			serverKind: 'openAiCompatible',
			tokens: 32,
			atOnce: 1,
			firstTokenMs: 5_000,
			totalMs: 10_000,
		});
		return run.failures[0]?.kind;
	}

	it.each([
		['@', 32, 'garbledAnswer'],
		['G', 32, 'garbledAnswer'],
		['\ufffd', 12, 'garbledAnswer'],
		['', 32, 'emptyAnswer'],
		['word, ', 32, undefined],
	])('%j, %d times', async (sign, times, kind) => {
		const body = `${chunk(sign).repeat(times)}${chunk('', 'stop')}${usage}`;
		expect(await failureOf(body)).toBe(kind);
	});

	const timings = `data: ${JSON.stringify({ choices: [], timings: { predicted_n: 32, predicted_per_second: 40 } })}\n\n`;

	it.each([
		['\n', usage, 'garbledAnswer'],
		[' \n\t', usage, 'garbledAnswer'],
		// A gateway may hold thinking back, and passes on the counts and timings of the server behind it.
		['', usage, undefined],
		['', usage + timings, undefined],
	])('%j until the limit of tokens, counted with %s', async (text, counts, kind) => {
		const body = `${chunk(text).repeat(32)}${chunk('', 'length')}${counts}`;
		expect(await failureOf(body)).toBe(kind);
	});
});
