/** Actions on models while the server reports one state after the other: the requests, the result, or the error. */
import path from 'node:path';
import { runModelAction } from '../../../lib/servers/model-actions';
import type { ModelAction, ModelActionOptions } from '../../../lib/servers/types/server-type';
import { expectApproved } from '../../support/approved/approved-table';
import { LLAMA, list, serve } from './json-server';
import type { Answers } from './json-server';
import { describeError } from '../../support/approved/outcome';

jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/still-clock'),
);

interface PlayedAction {
	name: string;
	action: ModelAction;
	/** Answers of each route, one after the other; the last one again and again. */
	answers: Readonly<Record<string, readonly unknown[]>>;
	headers?: Record<string, string>;
	options?: Partial<ModelActionOptions>;
}

const refusal = (status: number, message = 'No'): unknown => [status, { error: { message } }];

/** A list of the router; a state may have an exit code behind a colon. Its ID is `a`, or as said before an equals sign. */
const models = (...states: string[]): unknown =>
	list(
		...states.map((text) => {
			const [, id = 'a', state = '', code] = /^(?:(.*)=)?([^:]*):?(.*)$/.exec(text) ?? [];
			const status =
				state === 'failed'
					? { value: 'unloaded', failed: true, exit_code: code ? Number(code) : undefined }
					: { value: state };
			return { id, owned_by: 'llamacpp', status };
		}),
	);

const metrics = (processing: number, deferred = 0): string =>
	`llamacpp:requests_processing ${String(processing)}\nllamacpp:requests_deferred ${String(deferred)}\n`;

/** Lists of the router: those of its identification and before the action are the same. */
const router = (
	first: string,
	...later: string[]
): Readonly<Record<string, readonly unknown[]>> => ({
	'GET /v1/models': [models(first), models(first), ...later.map((state) => models(state))],
});

const DONE = {
	'POST /models/load': [{ success: true }],
	'POST /models/unload': [{ success: true }],
};
const NOW = { wait: false };

const ROUTER_ACTIONS: readonly PlayedAction[] = [
	...['unloaded', 'downloaded', 'loading', 'loaded', 'sleeping', 'failed:1', 'strange'].flatMap(
		(state): PlayedAction[] => [
			{
				name: `${state}, then loaded`,
				action: 'load',
				answers: { ...router(state, 'loading', 'loaded'), ...DONE },
			},
			{
				name: `${state}, not waited for`,
				action: 'load',
				answers: { ...router(state), ...DONE },
				options: NOW,
			},
			{
				name: `${state}, then unloaded`,
				action: 'unload',
				answers: { ...router(state, 'loaded', 'unloaded'), ...DONE },
			},
			{
				name: `${state}, not waited for`,
				action: 'unload',
				answers: { ...router(state), ...DONE },
				options: NOW,
			},
		],
	),
	{
		name: 'it fails',
		action: 'load',
		answers: { ...router('unloaded', 'loading', 'failed:137'), ...DONE },
	},
	{ name: 'it never ends', action: 'load', answers: { ...router('unloaded', 'loading'), ...DONE } },
	{
		name: 'its process dies',
		action: 'unload',
		answers: { ...router('sleeping', 'failed:9'), ...DONE },
	},
	{
		name: 'refused, but done by another client',
		action: 'load',
		answers: { ...router('unloaded', 'loading', 'loaded'), 'POST /models/load': [refusal(400)] },
	},
	{
		name: 'refused',
		action: 'load',
		answers: { ...router('unloaded', 'unloaded'), 'POST /models/load': [refusal(400)] },
	},
	{
		name: 'refused, but done by another client',
		action: 'unload',
		answers: { ...router('sleeping', 'unloaded'), 'POST /models/unload': [refusal(400)] },
	},
	{
		name: 'a model that is not there',
		action: 'load',
		answers: { 'GET /v1/models': [models('b=unloaded', 'c=failed:1')] },
	},
	{
		name: 'the only model',
		action: 'load',
		answers: { 'GET /v1/models': [list({ id: 'a', owned_by: 'llamacpp' })] },
	},
	...[
		['idle', [metrics(0)]],
		['busy, then idle', [metrics(2), metrics(0)]],
		['requests that wait', [metrics(0, 1), metrics(0)]],
		['always busy', [metrics(1)]],
	].flatMap(([name, texts]): PlayedAction[] =>
		[{}, NOW, { isForced: true }].map((options) => ({
			name: `${String(name)} ${JSON.stringify(options)}`,
			action: 'unload',
			answers: { ...router('loaded', 'unloaded'), ...DONE, 'GET /metrics': texts as string[] },
			options,
		})),
	),
	{
		name: 'busy slots',
		action: 'unload',
		answers: {
			...router('loaded', 'unloaded'),
			...DONE,
			'GET /slots': [[200, [{ is_processing: true }, { is_processing: false }]]],
		},
		options: NOW,
	},
	{
		name: 'neither metrics nor slots',
		action: 'unload',
		answers: { ...router('loaded', 'unloaded'), ...DONE },
	},
	...(
		[
			['downloaded', ['downloading', 'downloaded']],
			['seen late', ['unloaded', 'downloading', 'unloaded']],
			['failed earlier', ['failed:1', 'downloading', 'unloaded']],
			['failed in the download', ['downloading', 'failed:1']],
			['failed before it was seen', ['failed:1']],
			['there already', ['unloaded']],
		] as const
	).map(([name, states]): PlayedAction => ({
		name,
		action: 'pull',
		answers: {
			'GET /v1/models': [models('b=unloaded'), ...states.map((state) => models(state))],
			'POST /models': [{ success: true }],
		},
	})),
	{
		name: 'never listed',
		action: 'pull',
		answers: { 'GET /v1/models': [models('b=unloaded')], 'POST /models': [{ success: true }] },
	},
	{
		name: 'gone after it was listed',
		action: 'pull',
		answers: {
			'GET /v1/models': [models('b=unloaded'), models('downloading'), models('b=unloaded')],
			'POST /models': [{ success: true }],
		},
	},
	{
		name: 'with a quantization',
		action: 'pull',
		answers: {
			'GET /v1/models': [models('b=unloaded'), models('a:Q4=unloaded')],
			'POST /models': [{ success: true }],
		},
	},
	{
		name: 'not waited for',
		action: 'pull',
		answers: { 'GET /v1/models': [models('b=unloaded')], 'POST /models': [{ success: true }] },
		options: NOW,
	},
	{
		name: 'an older router',
		action: 'pull',
		answers: { 'GET /v1/models': [models('b=unloaded')] },
	},
	{
		name: 'done',
		action: 'remove',
		answers: { ...router('unloaded'), 'DELETE /models': [{ success: true }] },
	},
	{
		name: 'refused',
		action: 'remove',
		answers: { ...router('unloaded'), 'DELETE /models': [refusal(400)] },
	},
	{ name: 'an older router', action: 'remove', answers: router('unloaded') },
];

const ROUTER = ROUTER_ACTIONS.map((played): PlayedAction => ({
	headers: LLAMA,
	...played,
	name: `router: ${played.name}`,
}));

const OLLAMA_LIST = { 'GET /v1/models': [list({ id: 'a:latest', owned_by: 'library' })] };
const running = (...names: string[]): unknown => ({ models: names.map((name) => ({ name })) });
const EMPTY = { 'POST /api/generate': [{ done: true }], 'POST /api/embed': [{}] };
const shown = (...capabilities: string[]) => ({ 'POST /api/show': [{ capabilities }] });

const OLLAMA_ACTIONS: readonly PlayedAction[] = [
	{
		name: 'in memory',
		action: 'load',
		answers: { 'GET /api/ps': [running('a:latest')], ...EMPTY },
	},
	{
		name: 'not in memory',
		action: 'load',
		answers: { 'GET /api/ps': [running()], ...EMPTY, ...shown('completion') },
	},
	{
		name: 'for vectors',
		action: 'load',
		answers: { 'GET /api/ps': [running()], ...EMPTY, ...shown('embedding') },
	},
	{
		name: 'for vectors and texts',
		action: 'load',
		answers: { 'GET /api/ps': [running()], ...EMPTY, ...shown('embedding', 'completion') },
	},
	{
		name: 'not there',
		action: 'load',
		answers: {
			'GET /api/ps': [running()],
			'POST /api/generate': [[404, { error: "model 'a' not found" }]],
		},
	},
	{
		name: 'in memory',
		action: 'unload',
		answers: { 'GET /api/ps': [running('a:latest'), running('a:latest'), running()], ...EMPTY },
	},
	{ name: 'not in memory', action: 'unload', answers: { 'GET /api/ps': [running('b')], ...EMPTY } },
	{
		name: 'always in memory',
		action: 'unload',
		answers: { 'GET /api/ps': [running('a:latest')], ...EMPTY },
	},
	{ name: 'done', action: 'remove', answers: { 'DELETE /api/delete': [{}] } },
	{
		name: 'not there',
		action: 'remove',
		answers: { 'DELETE /api/delete': [[404, { error: "model 'a' not found" }]] },
	},
];

const OLLAMA = OLLAMA_ACTIONS.map((played): PlayedAction => ({
	...played,
	name: `Ollama: ${played.name}`,
	answers: { ...OLLAMA_LIST, ...played.answers },
}));

const OTHERS: readonly PlayedAction[] = (['load', 'unload', 'pull', 'remove'] as const).flatMap(
	(action): PlayedAction[] => [
		{ name: 'vLLM', action, answers: { 'GET /v1/models': [list({ id: 'a', owned_by: 'vllm' })] } },
		{
			name: 'a server that rejects the key',
			action,
			answers: { 'GET /v1/models': [refusal(401)] },
		},
		{ name: 'a server without a list', action, answers: {} },
	],
);

/** What one route answers, in turn. */
const inTurn = (answers: readonly unknown[]) => {
	const left = [...answers];
	return () => (left.length > 1 ? left.shift() : left[0]);
};

const play = async ({ action, answers, headers, options }: PlayedAction): Promise<unknown> => {
	const routes: Answers = Object.fromEntries(
		Object.entries(answers).map(([route, ofRoute]) => [route, inTurn(ofRoute)]),
	);
	const { server, requested } = await serve(routes, headers);
	const progress: unknown[] = [];
	const outcome = await runModelAction(server, action, {
		model: 'a',
		wait: true,
		timeoutMs: action === 'pull' ? 60_000 : 5_000,
		onProgress: (step) => void progress.push(step.status),
		...options,
	}).then(({ tookMs: _tookMs, ...result }) => result, describeError);
	const requests = requested().filter((line) => line !== 'GET /v1/models');
	const counted = [...new Set(requests)].map((line) => {
		const count = requests.filter((other) => other === line).length;
		return count === 1 ? line : `${line} (${count > 9 ? 'many' : String(count)})`;
	});
	return {
		requests: counted.filter(
			(line) => !/^GET \/(?:props|api\/(?:version|tags)|v1\/model\/info|health)/.test(line),
		),
		outcome,
		...(progress.length > 0 && { progress }),
	};
};

test('each action has its requests and its result, whatever the server reports', async () => {
	const rows = [];
	for (const played of [...ROUTER, ...OLLAMA, ...OTHERS])
		rows.push({ input: `${played.action} ${played.name}`, outcome: await play(played) });
	expectApproved(
		path.join(__dirname, 'model-actions.states.approved.txt'),
		rows,
		'An action reports success only if the server shows the state',
	);
});
