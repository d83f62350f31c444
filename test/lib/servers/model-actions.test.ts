import { listModels } from '../../../lib/servers/list-models';
import { runModelAction } from '../../../lib/servers/model-actions';
import { getProfile } from '../../../lib/servers/profile';
import { SERVER_TYPES } from '../../../lib/servers/types';
import { asServerErrorOrThrow } from '../../../lib/errors/server-error';
import { getError } from '../../support/jest/get-error';
import type { ScriptedRequest } from '../../support/servers/scripted-server';
import { withDeadline } from '../../support/waiting/deadline';
import { HANG, LLAMA, list, serve } from './json-server';
import type { Answers } from './json-server';

const OLLAMA = list({ id: 'qwen3:8b', owned_by: 'library' });
const call = { wait: true, timeoutMs: 10_000, pauseMs: 1 };

describe('model actions', () => {
	test.each<[string, Answers, Record<string, string>]>([
		[
			'a llama-server with one model',
			{ 'GET /v1/models': list({ id: 'a', owned_by: 'llamacpp' }) },
			LLAMA,
		],
		[
			'a server without such endpoints',
			{ 'GET /v1/models': list({ id: 'a', owned_by: 'vllm' }) },
			{},
		],
	])('%s is an error that names servers with model actions', async (_name, answers, headers) => {
		const { server } = await serve(answers, headers);
		await expect(runModelAction(server, 'load', { ...call, model: 'a' })).rejects.toMatchObject({
			type: 'featureDisabled',
			suggestion: expect.stringMatching(/router|Only/),
		});
	});

	test.each(
		(['load', 'unload', 'pull', 'remove'] as const).flatMap((action) =>
			[
				{ action, owner: 'llamacpp', headers: LLAMA, own: SERVER_TYPES.llamaServer },
				{ action, owner: 'vllm', headers: {}, own: SERVER_TYPES.vllm },
			].filter(({ own }) => own.modelActions?.[action] === undefined),
		),
	)(
		'$action at $own.label: its own advice is that for loading',
		async ({ action, owner, headers, own }) => {
			const answers = { 'GET /v1/models': list({ id: 'a', owned_by: owner }) };
			const { server } = await serve(answers, headers);
			const running = runModelAction(server, action, { ...call, model: 'a' });
			const { suggestion } = await running.then(() => ({ suggestion: '' }), asServerErrorOrThrow);
			const advice = own.texts.noModelActions;
			const isOwn = advice !== undefined && /load/.test(action);
			expect({
				advice,
				isTold: suggestion.endsWith(advice ?? '.') && !/undefined/.test(suggestion),
			}).toEqual({
				advice,
				isTold: advice === undefined || isOwn,
			});
		},
	);

	test('find out again which server it is: it may have been replaced', async () => {
		const { server } = await serve({
			'GET /v1/models': OLLAMA,
			'GET /api/ps': { models: [{ name: 'qwen3:8b' }] },
		});
		const profile = getProfile(server);
		const json = list({ id: 'a', owned_by: 'vllm' });
		profile.learnType({ status: 200, headers: {}, finalUrl: '', text: '', json });
		expect(profile.getCachedType()?.name).toBe('vllm');
		expect(await runModelAction(server, 'load', { ...call, model: ' qwen3:8b ' })).toEqual({
			model: 'qwen3:8b',
			server: 'ollama',
			before: 'loaded',
			state: 'loaded',
			changed: false,
			tookMs: expect.any(Number) as number,
		});
	});

	test('of a server that rejects the key report that', async () => {
		const { server } = await serve({ 'GET /v1/models': [401, { detail: 'Wrong key' }] });
		await expect(runModelAction(server, 'remove', { ...call, model: 'a' })).rejects.toMatchObject({
			type: 'unauthorized',
		});
	});

	test('the list of Ollama says which models are loaded', async () => {
		const { server } = await serve({
			'GET /v1/models': OLLAMA,
			'GET /api/tags': { models: [{ name: 'qwen3:8b' }] },
			'GET /api/ps': { models: [{ name: 'qwen3:8b', size: 100, size_vram: 50 }] },
		});
		const states = (await listModels(server)).map(({ id, state }) => [id, state]);
		expect(states).toContainEqual(['qwen3:8b', 'loaded']);
	});

	test('Ollama loads, unloads and deletes', async () => {
		const running = new Set<string>();
		const { server, requested } = await serve({
			'GET /v1/models': OLLAMA,
			'GET /api/ps': () => ({ models: [...running].map((name) => ({ name })) }),
			'POST /api/generate': ({ body }: ScriptedRequest) => {
				if (body.keep_alive === 0) running.clear();
				else running.add('qwen3:8b');
				return { done: true };
			},
			'DELETE /api/delete': ({ body }: ScriptedRequest) =>
				body.model === 'qwen3:8b' ? {} : [404, { error: "model 'x' not found" }],
		});
		expect(
			await runModelAction(server, 'load', { ...call, model: 'library/Qwen3:8b' }),
		).toMatchObject({ server: 'ollama', changed: true });
		expect(await runModelAction(server, 'unload', { ...call, model: 'qwen3:8b' })).toMatchObject({
			before: 'loaded',
			state: 'unloaded',
		});
		expect(await runModelAction(server, 'remove', { ...call, model: 'qwen3:8b' })).toMatchObject({
			deleted: true,
		});
		await expect(runModelAction(server, 'remove', { ...call, model: 'x' })).rejects.toMatchObject({
			type: 'modelNotFound',
			suggestion: expect.stringContaining('already be deleted'),
		});
		expect(requested().filter((one) => one === 'POST /api/generate')).toHaveLength(2);
	});

	test.each([
		{ capabilities: ['embedding'], route: 'POST /api/embed' },
		{ capabilities: ['completion', 'embedding'], route: 'POST /api/generate' },
		{ capabilities: ['completion', 'tools'], route: 'POST /api/generate' },
		{ capabilities: undefined, route: 'POST /api/generate' },
	])('Ollama loads a model with the capabilities $capabilities by $route', async (row) => {
		const refused = [400, { error: 'zoq vex plim' }];
		const { server, requested } = await serve({
			'GET /v1/models': OLLAMA,
			'GET /api/ps': { models: [] },
			'POST /api/show': { capabilities: row.capabilities },
			'POST /api/generate': refused,
			'POST /api/embed': refused,
			[row.route]: { done: true },
		});
		await runModelAction(server, 'load', { ...call, model: 'qwen3:8b' });
		expect(requested().filter((one) => /generate|embed/.test(one))).toEqual([row.route]);
	});

	test('LM Studio loads, and unloads by the instance ID', async () => {
		const { server, requested } = await serve({
			'GET /v1/models': list({ id: 'a', owned_by: 'organization_owner' }),
			'POST /api/v1/models/load': ({ body }: ScriptedRequest) =>
				body.model === 'a' ? { status: 'loaded' } : undefined,
			'POST /api/v1/models/unload': ({ body }: ScriptedRequest) =>
				body.instance_id === 'a' ? {} : undefined,
		});
		await runModelAction(server, 'load', { ...call, model: 'a' });
		await runModelAction(server, 'unload', { ...call, model: 'a' });
		expect(requested().filter((one) => one.startsWith('POST'))).toEqual([
			'POST /api/v1/models/load',
			'POST /api/v1/models/unload',
		]);
	});
});

describe('an action that a router rejects', () => {
	const toList = (state: string) =>
		list({ id: 'a', owned_by: 'llamacpp', status: { value: state } });

	/** The list before and after the rejection. */
	const reject = async (
		action: 'load' | 'unload',
		[before, after]: [string, string],
		body: unknown,
	) => {
		let wasRejected = false;
		const { server } = await serve(
			{
				'GET /v1/models': () => toList(wasRejected ? after : before),
				[`POST /models/${action}`]: () => {
					wasRejected = true;
					return [400, body];
				},
				'GET /metrics': [501, {}],
				'GET /slots': [],
			},
			LLAMA,
		);
		return await runModelAction(server, action, { ...call, wait: false, model: 'a' });
	};

	const toBody = (message: string) => ({
		error: { code: 400, message, type: 'invalid_request_error' },
	});

	describe.each([
		{ form: 'as recorded', load: 'model is already running', unload: 'model is not running' },
		{ form: 'in words of a later release', load: 'zug Wem', unload: 'vlo 运行' },
	])('$form', ({ load, unload }) => {
		test.each(['loading', 'loaded', 'sleeping'])(
			'because another client loads it is done: %s',
			async (after) => {
				const result = await reject('load', ['unloaded', after], toBody(load));
				expect(result).toMatchObject({ model: 'a', before: 'unloaded', state: 'loading' });
			},
		);

		test.each(['unloaded', 'downloaded', 'failed'])(
			'because another client unloaded it is done: %s',
			async (after) => {
				const result = await reject('unload', ['loaded', after], toBody(unload));
				expect(result).toMatchObject({ model: 'a', before: 'loaded', state: 'unloaded' });
			},
		);

		test('for another reason is an error in the words of the router', async () => {
			await expect(reject('load', ['unloaded', 'unloaded'], toBody(load))).rejects.toMatchObject({
				message: load,
				status: 400,
			});
			await expect(reject('unload', ['loaded', 'loaded'], toBody(unload))).rejects.toMatchObject({
				message: unload,
				status: 400,
			});
		});
	});
});

describe('a request that hangs ends with the timeout of the action', () => {
	/** Shorter than the timeout of a request that has none of its own. */
	const DEADLINE_MS = 8_000;
	const hanging = { wait: true, timeoutMs: 400, pauseMs: 1 };
	const running = { models: [{ name: 'qwen3:8b' }] };
	/** The first responses, then none. */
	const thenHang = (...first: unknown[]) => {
		const rest = [...first];
		return () => rest.shift() ?? HANG;
	};
	const router = (state: string) =>
		list({ id: 'a', owned_by: 'llamacpp', status: { value: state } });

	test.each<{ name: string; answers: Answers; action?: 'load' | 'unload'; headers?: object }>([
		{
			name: 'Ollama, the models in memory before a load',
			answers: { 'GET /v1/models': OLLAMA, 'GET /api/ps': HANG },
		},
		{
			name: 'Ollama, the models in memory before an unload',
			answers: { 'GET /v1/models': OLLAMA, 'GET /api/ps': HANG },
			action: 'unload',
		},
		{
			name: 'Ollama, the models in memory after an unload',
			answers: {
				'GET /v1/models': OLLAMA,
				'GET /api/ps': thenHang(running),
				'POST /api/generate': { done: true },
			},
			action: 'unload',
		},
		{
			name: 'Ollama, the load itself',
			answers: {
				'GET /v1/models': OLLAMA,
				'GET /api/ps': { models: [] },
				'POST /api/generate': HANG,
			},
		},
		{
			name: 'a router, its list before a load',
			answers: { 'GET /v1/models': thenHang(router('unloaded')) },
			headers: LLAMA,
		},
		{
			name: 'a router, the load itself',
			answers: { 'GET /v1/models': router('unloaded'), 'POST /models/load': HANG },
			headers: LLAMA,
		},
		{
			name: 'a router, its list after a load',
			answers: {
				'GET /v1/models': thenHang(router('unloaded'), router('unloaded')),
				'POST /models/load': { success: true },
			},
			headers: LLAMA,
		},
		{
			name: 'a router, the requests of a model before an unload',
			answers: { 'GET /v1/models': router('loaded'), 'GET /metrics': HANG, 'GET /slots': HANG },
			action: 'unload',
			headers: LLAMA,
		},
		{
			name: 'LM Studio, the load itself',
			answers: {
				'GET /v1/models': list({ id: 'qwen3:8b', owned_by: 'organization_owner' }),
				'POST /api/v1/models/load': HANG,
			},
		},
	])('$name', async ({ name, answers, action = 'load', headers = {} }) => {
		const { server, requested } = await serve(answers, headers as Record<string, string>);
		const model = headers === LLAMA ? 'a' : 'qwen3:8b';
		const acting = runModelAction(server, action, { ...hanging, model });
		const error = await withDeadline(getError(acting), () => name, DEADLINE_MS);
		expect(error).toMatchObject({ type: expect.stringMatching(/totalTimeout|modelLoading|busy/) });
		// What hangs says nothing about the model: it is not cut off.
		expect(requested()).not.toContain('POST /models/unload');
	});
});
