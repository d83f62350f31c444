import { anyModel, ownsModels } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/**
 * AMD's Lemonade Server (lemonade-sdk/lemonade, docs/server): llama-server and others behind one address, with an
 * imitation of Ollama's API.
 */
export const lemonade: ServerKind = {
	...openAiCompatible,
	label: 'Lemonade',
	signs: { passesOnOthers: true },
	recognizes: (answers) =>
		ownsModels(answers, 'lemonade') ||
		anyModel(answers, (entry) => 'recipe' in entry && 'checkpoint' in entry),
};
