import { isRefusal } from '../../errors/http-failure';
import type { Connection } from '../../http/connection';
import { type JsonRecord, recordsIn } from '../../values';
import type { ServerModel } from '../models';
import { CALL_MS, offeredModel, offeredModels } from '../offered-models';
import { pollUntil } from '../poll';
import { withStatesOf } from '../running-models';
import { ownsAnyModel, textIn } from './evidence';
import type { ServerKind } from './kind';
import { tooSlow } from './llama-api/running-answers';
import { llamaServer } from './llama-server';
import { pullOnOllama, removeOnOllama } from './ollama-api/models';
import { openAiCompatible } from './openai-compatible';
import type { Change, ChangeOptions } from './work';

const LABEL = 'Docker Model Runner';
/** In memory are models by the names by which they were asked for. */
const RUNNING = { path: '/engines/ps', stateOf } as const;
const withStates = withStatesOf(RUNNING);

/**
 * Docker Model Runner (docker/model-runner, seen: 642c712), which starts llama-server, vLLM or MLX for the requested
 * model and passes on what they send. Of its imitation of Ollama's API, downloading and deleting do what they say;
 * loading does nothing.
 */
export const dockerModelRunner: ServerKind = {
	...openAiCompatible,
	label: LABEL,
	signs: { passesOnOthers: true },
	recognizes: (answers) => ownsAnyModel(answers, 'docker'),
	version: (answers) => textIn(answers, 'version', 'version'),
	models: {
		isSameName: (id, name) => fullName(id) === fullName(name),
		running: RUNNING,
		withDetails: withStates,
		load,
		unload,
		pull: async (connection, options) =>
			await pullOnOllama(connection, options, {
				label: LABEL,
				names: 'on hub.docker.com/u/ai, for example ai/qwen3 or hf.co/USER/REPOSITORY:Q4_K_M',
			}),
		remove: removeOnOllama,
	},
	rerank: { isBelowRoot: true },
	health: { path: '/version', benchmarkFields: llamaServer.health.benchmarkFields },
	words: {
		...openAiCompatible.words,
		remedies: {
			...openAiCompatible.words.remedies,
			modelFailedToLoad:
				'Usually there is not enough memory, or the file is incomplete. docker model logs says more.',
		},
		noModels: 'Fetch one, for example: docker model pull ai/smollm2',
		missingModel: (model) => `fetch it: docker model pull ${model}`,
		embeddingsOff: 'Fetch an embedding model, for example: docker model pull ai/embeddinggemma',
		rerankOff: 'Fetch a reranker model with docker model pull.',
		moreContext: (tokens) => `Run docker model configure --context-size ${tokens} MODEL.`,
	},
};

/** As the runner completes a name (pkg/distribution): registry, `ai/` and `:latest` may be left out. */
function fullName(name: string): string {
	const place = name
		.replace(/^(?:index\.)?docker\.io\//i, '')
		.replace(/^hf\.co\//, 'huggingface.co/');
	const [, path = '', tag = 'latest'] = /^(.*?)(?::([^/:]+))?$/s.exec(place) ?? [];
	return `${path.includes('/') ? '' : 'ai/'}${path.toLowerCase()}:${tag}`;
}

function stateOf(id: string, runners: unknown): string {
	const isOfModel = ({ model_name: name }: JsonRecord) => fullName(String(name)) === fullName(id);
	const own = recordsIn(runners).filter(isOfModel);
	if (own.length === 0) return 'unloaded';
	return own.every(({ loading }) => loading === true) ? 'loading' : 'loaded';
}

/** A request that stops before the generation; for vectors, models are started in another way. */
async function load(connection: Connection, options: ChangeOptions): Promise<Change> {
	const { id: model, embeddings, state: before = 'unloaded' } = await listed(connection, options);
	if (before === 'loaded') return { model, before, state: before };
	const { limitMs, signal } = options;
	const route = embeddings === true ? '/embeddings' : '/chat/completions';
	const answer = await connection.call(connection.url.api + route, {
		json: { model },
		headers: { 'X-Preload-Only': 'true' },
		timeoutMs: limitMs,
		signal,
	});
	if (isRefusal(answer)) throw connection.refusal(answer, { model });
	return { model, before, state: 'loaded' };
}

/** A model that is answering stays in memory, and the runner says nothing about it. */
async function unload(connection: Connection, options: ChangeOptions): Promise<Change> {
	const { id: model, state: before = 'unloaded' } = await listed(connection, options);
	const url = `${connection.url.root}/engines/unload`;
	const { limitMs, signal } = options;
	const timeoutMs = Math.max(CALL_MS, limitMs);
	await pollUntil(
		options,
		async () => {
			if ((await listed(connection, options)).state === 'unloaded') return true;
			await connection.accepted(url, { json: { models: [model] }, timeoutMs, signal });
			return undefined;
		},
		() => tooSlow(connection, 'unload', url, options),
	);
	return { model, before, state: 'unloaded' };
}

async function listed(connection: Connection, options: ChangeOptions): Promise<ServerModel> {
	const models = await offeredModels(connection, options);
	const model = offeredModel(connection, models, options.model, dockerModelRunner);
	const [withState] = await withStates(connection, [model], options.signal);
	return withState!;
}
