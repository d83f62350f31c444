import { isFilled } from '../../values';
import { anyModel } from './evidence';
import type { ServerKind } from './kind';
import { chatWithOpenAiFieldsOnly, openAiCompatible } from './openai-compatible';

/**
 * Inference Gateway (inference-gateway/inference-gateway, seen: 0.48.2). Each model of its list names the provider that
 * serves it. It drops fields that it does not know, and has no native routes.
 */
export const inferenceGateway: ServerKind = {
	...openAiCompatible,
	label: 'Inference Gateway',
	signs: { passesOnOthers: true },
	recognizes: (answers) => anyModel(answers, ({ served_by: provider }) => isFilled(provider)),
	chat: chatWithOpenAiFieldsOnly,
	words: {
		...openAiCompatible.words,
		missingModel: () =>
			'start the server behind the gateway with it; its name begins with that of the provider: llamacpp/NAME.',
	},
};
