import { anyHeaderNamed, anyModel } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/**
 * LiteLLM's proxy, recognized by the date that it gives all models (litellm/constants.py). Its `/health` sends a real
 * request to every model behind it (docs.litellm.ai, Health Checks).
 */
export const litellm: ServerKind = {
	...openAiCompatible,
	label: 'LiteLLM',
	signs: { passesOnOthers: true },
	recognizes: (answers) =>
		anyHeaderNamed(answers, /^x-litellm-/) ||
		anyModel(
			answers,
			({ created, owned_by: owner }) => created === 1_677_610_602 && owner === 'openai',
		),
	media: { needsModel: true },
	health: { path: '/health/liveliness' },
	words: {
		...openAiCompatible.words,
		rerankOff:
			'In the configuration of LiteLLM, give a reranker model a provider that reranks, for example jina_ai/NAME with the address of the route (http://HOST:8080/v1/rerank).',
	},
};
