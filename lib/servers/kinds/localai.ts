import { entriesOf, textIn } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';
import { PLAIN_REMEDIES } from './remedies';

/**
 * LocalAI (mudler/LocalAI, core/http): its list of models has neither owners nor dates, its `/version` is a version
 * with a commit in parentheses, and `/api/version` imitates Ollama 0.9.0.
 */
export const localai: ServerKind = {
	...openAiCompatible,
	label: 'LocalAI',
	signs: { passesOnOthers: true },
	recognizes: (answers) => {
		const models = entriesOf(answers);
		if (models === undefined || models.some((entry) => 'owned_by' in entry || 'created' in entry))
			return false;
		return (
			/^v?\d+\.\d.* \([0-9a-f]{7,40}\)$/.test(textIn(answers, 'version', 'version') ?? '') ||
			(models.length > 0 && textIn(answers, 'apiVersion', 'version') === '0.9.0')
		);
	},
	version: (answers) => textIn(answers, 'version', 'version'),
	// It makes a grammar of a schema, but drops the `enum` of one that is no object.
	chat: {
		...openAiCompatible.chat,
		grammar: { fields: (grammar) => ({ grammar }), isEnforced: true },
	},
	completion: { ...openAiCompatible.completion, hiddenLimit: {} },
	words: {
		...openAiCompatible.words,
		remedies: {
			...PLAIN_REMEDIES,
			wrongModelType:
				'Choose another model, or set "embeddings: true" or "reranking: true" in the YAML file of this one.',
			modelFailedToLoad:
				'Install a backend that is not found with "local-ai backends install NAME", and put a missing file into the folder of the models. Else there is usually not enough memory: set a smaller context_size, or choose a smaller quantization. The log of LocalAI says more.',
		},
		noModels: 'Install one with "local-ai models install NAME".',
		missingModel: (model) => `install it with "local-ai models install ${model}".`,
		embeddingsOff: 'Set "embeddings: true" in the YAML file of an embedding model.',
		rerankOff: 'Set "reranking: true" in the YAML file of a reranker model.',
		moreContext: (tokens) =>
			`Set "context_size: ${tokens}" or more in the YAML file of the model, or start LocalAI with LOCALAI_CONTEXT_SIZE.`,
	},
	media: { knownFor: ['images', 'transcription', 'speech'] },
};
