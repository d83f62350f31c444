import { anyHeader, entriesOf } from './evidence';
import type { ServerAnswers } from './answers';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/**
 * mlx_lm.server (ml-explore/mlx-lm, seen: 0.32.2). Its list has neither owners nor details, and an empty body where
 * there is no cache of Hugging Face. It has no embeddings.
 */
export const mlxLm: ServerKind = {
	...openAiCompatible,
	label: 'mlx-lm',
	recognizes: (answers) =>
		anyHeader(answers, 'server', /^BaseHTTP\/\S+ Python\//) &&
		(hasBareEntries(answers) || hasEmptyList(answers)),
	chat: { ...openAiCompatible.chat, grammar: undefined },
	key: { isNeverNeeded: true },
	models: { mayListNone: true },
	words: {
		...openAiCompatible.words,
		noModels:
			'It lists what is in the cache of Hugging Face: type the name that mlx_lm.server was started with.',
		missingModel: () => 'start mlx_lm.server with --model.',
		embeddingsOff:
			'mlx_lm.server has no embeddings. Start another server for an embedding model, for example llama-server with --embeddings.',
		parseTools: () =>
			'mlx_lm.server reads the tool calls of models whose tokenizer names their format: take such a model.',
	},
};

function hasBareEntries(answers: ServerAnswers): boolean {
	const models = entriesOf(answers) ?? [];
	const isBare = (entry: object) => Object.keys(entry).sort().join() === 'created,id,object';
	return models.length > 0 && models.every(isBare);
}

/** Whether the list is JSON of no length. */
function hasEmptyList({ models }: ServerAnswers): boolean {
	if (models?.status !== 200 || models.text.trim() !== '') return false;
	return models.headers['content-type'] === 'application/json';
}
