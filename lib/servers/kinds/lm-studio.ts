import { ownsModels, says } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/** LM Studio (lmstudio.ai/docs/developer). Unknown routes answer 200 with an error text. */
export const lmStudio: ServerKind = {
	...openAiCompatible,
	label: 'LM Studio',
	chat: {
		...openAiCompatible.chat,
		schema: { replacesJsonObject: true },
		callFormat: 'lmStudio',
	},
	words: {
		...openAiCompatible.words,
		notLoaded:
			'Load it on the server ("lms load"), or turn on Just-in-Time Model Loading, which loads models when they are first used.',
		parseTools: () =>
			'In LM Studio, take a model with the hammer badge, or correct the prompt template in the settings of the model.',
	},
	signs: { passesOnOthers: true },
	recognizes: (answers) =>
		ownsModels(answers, 'organization_owner') ||
		Object.values(answers).some((answer) =>
			says(
				answer,
				({ error }) => typeof error === 'string' && /^Unexpected endpoint or method/i.test(error),
			),
		),
};
