import { clock } from '../../../lib/clock';
import fc from 'fast-check';

import {
	askServerKind,
	forgetIfContradicted,
	identify,
	knownServerKind,
	learnFromHeaders,
} from '../../../lib/servers/identify';
import { connectTo } from '../../../lib/servers/connect';
import { KINDS } from '../../../lib/servers/kinds';
import type { ServerAnswers } from '../../../lib/servers/kinds/answers';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../servers/llama-server';
import { examples } from '../../support/properties';
import { json, startScripted } from '../../servers/scripted';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

afterEach(async () => {
	jest.restoreAllMocks();
});
async function start(options: SimOptions = {}) {
	const sim = await startServer(options);
	return sim;
}

const connect = (baseUrl: string, key?: string) =>
	connectTo({
		baseUrl,
		...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
	});
const paths = (sim: LlamaServerSim) => sim.requests.map(({ method, path }) => `${method} ${path}`);

describe('identification of the server', () => {
	it.each<[SimOptions, string, string[]]>([
		[{}, 'llamaServer', ['GET /v1/models']],
		[{ profile: 'router' }, 'llamaRouter', ['GET /v1/models']],
		[{ apiKey: 'needed' }, 'llamaServer', ['GET /v1/models']],
		[{ profile: 'vllm' }, 'vllm', ['GET /v1/models']],
		[{ profile: 'ollama' }, 'ollama', ['GET /v1/models']],
		[{ profile: 'gpustack' }, 'gpustack', ['GET /v1/models']],
		[{ profile: 'fastapi' }, 'other', ['GET /v1/models', 'GET /api/version']],
	])('%j is %s, asked once', async (options, kind, asked) => {
		const sim = await start(options);
		const connection = connect(sim.url);
		expect(knownServerKind(connection)).toBeUndefined();
		expect(await askServerKind(connection)).toBe(kind);
		expect(await askServerKind(connection)).toBe(kind);
		expect(knownServerKind(connection)).toBe(kind);
		expect(paths(sim)).toEqual(asked);
	});

	it('Ollama with only models of other publishers', async () => {
		const sim = await start({ profile: 'ollama' });
		sim.route(
			'GET /v1/models',
			reply.json({
				object: 'list',
				data: [{ id: 'hf.co/someone/model:Q4_K_M', object: 'model', owned_by: 'someone' }],
			}),
		);
		expect(await askServerKind(connect(sim.url))).toBe('ollama');
	});

	it('llama-server behind a proxy that hides its header', async () => {
		const sim = await start();
		sim.route(
			'GET /v1/models',
			reply.json({ data: [{ id: 'x', owned_by: 'llamacpp' }] }, { headers: { server: 'nginx' } }),
		);
		expect(await askServerKind(connect(sim.url))).toBe('llamaServer');
	});

	it('an unreachable server has no known kind, and is asked again after a while', async () => {
		const sim = await start();
		const connection = connect(sim.url);
		sim.route('GET /v1/models', reply.closed());
		expect(await askServerKind(connection)).toBe('other');
		const asked = paths(sim);
		expect(await askServerKind(connection)).toBe('other');
		expect(paths(sim)).toEqual(asked);
		sim.route('GET /v1/models', undefined);
		jest.spyOn(clock, 'now').mockReturnValue(clock.now() + 31_000);
		expect(knownServerKind(connection)).toBeUndefined();
		expect(await askServerKind(connection)).toBe('llamaServer');
	});

	it('a list that hangs is waited for once, shared by all callers, and not retried at once', async () => {
		const sim = await start();
		sim.route('GET /v1/models', reply.silence());
		const connection = connect(sim.url);
		const kinds = await Promise.all(
			['a', 'b', 'c'].map(
				async (model) => await askServerKind(connection, model, { limitMs: 200 }),
			),
		);
		kinds.push(await askServerKind(connection));
		expect(kinds).toEqual(['other', 'other', 'other', 'other']);
		expect(paths(sim)).toEqual(['GET /v1/models']);
	});

	it('a caller that is cancelled stops waiting for a list that hangs, without cancelling it for others', async () => {
		const sim = await start();
		sim.route('GET /v1/models', reply.silence());
		const controller = new AbortController();
		const asking = askServerKind(connect(sim.url), 'a', { signal: controller.signal });
		await sim.until(() => sim.requests.length === 1);
		controller.abort();
		expect(await asking).toBe('other');
		expect(sim.connections.open).toBe(1);
	});

	it('an identified server that becomes silent keeps its kind', async () => {
		const sim = await start({ profile: 'ollama' });
		const connection = connect(sim.url);
		expect(await askServerKind(connection)).toBe('ollama');
		sim.route('GET /v1/models', reply.silence());
		jest.spyOn(clock, 'now').mockReturnValue(clock.now() + 11 * 60_000);
		expect(await askServerKind(connection, 'a', { limitMs: 200 })).toBe('ollama');
		expect(paths(sim)).toEqual(['GET /v1/models', 'GET /v1/models']);
	});

	it('unknown owners are no evidence', () => {
		const ofList = (json: unknown) =>
			identify({ models: { status: 200, headers: {}, text: '', json } });
		expect(ofList({ data: [{ owned_by: 'openai' }] })).toBe('other');
		expect(ofList({ data: 'x' })).toBe('other');
		expect(ofList(null)).toBe('other');
		expect(
			ofList({
				data: [
					{ id: 'hf.co/someone/model:latest', owned_by: 'someone' },
					{ id: 'llama3:8b', owned_by: 'library' },
				],
			}),
		).toBe('ollama');
	});

	it('fast-check: a list of names with their owners in front is that of a gateway, whatever the owners are', () => {
		const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
		const owner = fc.oneof(word, fc.constantFrom('llamacpp', 'vllm', 'sglang', 'openai', 'Qwen'));
		const entry = fc
			.tuple(owner, word)
			.map(([by, name]) => ({ id: `${by}/${name}`, object: 'model', owned_by: by }));
		const gateways = ['gpustack'];
		fc.assert(
			fc.property(fc.array(entry, { minLength: 1, maxLength: 6 }), (data) => {
				const kind = identify({ models: { status: 200, headers: {}, text: '', json: { data } } });
				expect(['other', ...gateways]).toContain(kind);
			}),
			examples(300),
		);
	});

	it('whatever is answered, it is one of the known kinds', () => {
		const answer = fc.record({
			status: fc.constantFrom(200, 401, 404, 503),
			headers: fc.dictionary(
				fc.constantFrom('server', 'www-authenticate', 'x-litellm-version'),
				fc.string(),
			),
			text: fc.string(),
			json: fc.oneof(
				fc.jsonValue(),
				fc.record(
					{
						data: fc.oneof(
							fc.jsonValue(),
							fc.array(fc.record({ id: fc.jsonValue(), owned_by: fc.jsonValue() })),
						),
						version: fc.jsonValue(),
						error: fc.jsonValue(),
						src: fc.jsonValue(),
					},
					{ requiredKeys: [] },
				),
			),
		});
		const answers = fc.record(
			{
				models: answer,
				apiVersion: answer,
				version: answer,
				health: answer,
				props: answer,
				info: answer,
			},
			{ requiredKeys: [] },
		);
		fc.assert(
			fc.property(answers, (given) => {
				const kind = identify(given as ServerAnswers);
				expect(Object.keys(KINDS)).toContain(kind);
				const version = KINDS[kind].version?.(given as ServerAnswers);
				expect(version === undefined || (typeof version === 'string' && version !== '')).toBe(true);
			}),
			examples(300),
		);
	});
});

describe('another server at the same address', () => {
	const serveAs = (owner: string) =>
		startScripted(({ path }, response) => {
			if (path === '/v1/models') json(response, { data: [{ id: 'm', owned_by: owner }] });
			else json(response, { version: '0.33.0' });
		});

	it('llama-server in place of Ollama: its header outweighs what is remembered', async () => {
		const server = await serveAs('library');
		const connection = connectTo({ baseUrl: server.url });
		expect(await askServerKind(connection, 'm')).toBe('ollama');
		learnFromHeaders(connection, { server: 'llama.cpp' }, 'm');
		expect(knownServerKind(connection, 'm')).toBe('llamaServer');
		await server.close();
	});

	it('Ollama in place of llama-server: its fingerprint makes the server be asked again', async () => {
		const server = await serveAs('library');
		const connection = connectTo({ baseUrl: server.url });
		learnFromHeaders(connection, { server: 'llama.cpp' }, 'm');
		forgetIfContradicted(connection, 'ollama', 'm');
		expect(knownServerKind(connection, 'm')).toBeUndefined();
		expect(await askServerKind(connection, 'm')).toBe('ollama');
		await server.close();
	});
});
