import { anyHeader, entriesOf } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/**
 * mlx_lm.server (ml-explore/mlx-lm, seen: 0.32.2). Its list has neither owners nor details, and an empty body where
 * there is no cache of Hugging Face. It has no embeddings.
 */
export const mlxLm: ServerKind = {
	...openAiCompatible,
	label: 'mlx-lm',
	recognizes: (answers) => {
		const models = entriesOf(answers) ?? [];
		const isBare = (entry: object) => Object.keys(entry).sort().join() === 'created,id,object';
		return (
			anyHeader(answers, 'server', /^BaseHTTP\/\S+ Python\//) &&
			models.length > 0 &&
			models.every(isBare)
		);
	},
	chat: { ...openAiCompatible.chat, grammar: undefined },
	completion: { ...openAiCompatible.completion, ignoresSuffix: true },
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
