import { finiteNumber, isRecord, nonEmptyText, optional, recordOf, smallestOf } from '../../values';
import type { Connection } from '../../http/connection';
import type { ServerModel } from '../models';
import { cachedJson } from '../optional-json';
import { bodyOf, textIn } from './evidence';
import type { ServerAnswers } from './answers';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';
import { PLAIN_REMEDIES } from './remedies';

const started = (what: string) =>
	`Start Text Embeddings Inference with ${what}: text-embeddings-router --model-id MODEL.`;

const START_ANOTHER =
	'A Text Embeddings Inference serves one model, for vectors or for reranking, and chats with none: use the server whose model is for this.';

/**
 * Hugging Face's text-embeddings-inference: embeddings and reranking, no chat, no list of models
 * (docs/protocols/other-servers.md 1.6).
 */
export const tei: ServerKind = {
	...openAiCompatible,
	label: 'Text Embeddings Inference',
	recognizes: (answers) => {
		const info = bodyOf(answers.info);
		return 'model_type' in info && 'max_client_batch_size' in info;
	},
	version: (answers) => textIn(answers, 'info', 'version'),
	key: { bearerOnly: true },
	models: { areAllLoaded: true, ignoresName: true, fromAnswers: modelOfInfo, batchLimit },
	embeddings: {
		request: ({ input, truncate, dimensions }) => ({
			path: '/embed',
			json: { inputs: input, truncate, ...optional({ dimensions }) },
		}),
	},
	rerank: { request: (json) => ({ path: '/rerank', json }) },
	health: { guardedRoute: { path: '/tokenize', json: {} } },
	words: {
		...openAiCompatible.words,
		remedies: { ...PLAIN_REMEDIES, wrongModelType: START_ANOTHER, wrongPath: START_ANOTHER },
		embeddingsOff: started('an embedding model'),
		rerankOff: started('a reranker model (a classifier with one label)'),
		moreContext: (tokens) => `Choose a model that reads ${tokens} tokens.`,
	},
};

function modelOfInfo({ info }: ServerAnswers): ServerModel[] | undefined {
	const { model_id: model, served_model_name: served, model_type: types, ...rest } = bodyOf(info);
	if (typeof model !== 'string') return undefined;
	const id = nonEmptyText(served) ?? model;
	const aliases = id === model ? [] : [model];
	const context = finiteNumber(rest.max_input_length);
	const isFor = (type: string) => isRecord(types) && type in types;
	const uses = { embeddings: isFor('embedding'), reranks: isFor('reranker') };
	return [{ id, aliases, tools: false, vision: false, ...uses, ...optional({ context }) }];
}

/** Each text of a request counts as a request: with more than it takes at once, it is always too busy (seen: 1.9.3). */
async function batchLimit(connection: Connection): Promise<number | undefined> {
	const info = recordOf(await cachedJson(connection, `${connection.url.root}/info`));
	const limits = [info.max_client_batch_size, info.max_concurrent_requests]
		.flatMap((limit) => finiteNumber(limit) ?? [])
		.filter((limit) => limit > 0);
	return limits.length === 0 ? undefined : smallestOf(limits);
}
