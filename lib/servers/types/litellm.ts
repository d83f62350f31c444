import { PLAIN_REMEDIES } from './suggestions';
import type { ServerType } from './server-type';
import { other, PLAIN_WORDS } from './other';

/** LiteLLM's proxy, recognized by its headers, or by the date that it gives all models (litellm/constants.py). */
export const litellm: ServerType = {
	...other,
	label: 'LiteLLM',
	words: {
		...PLAIN_WORDS,
		rerank:
			'In the LiteLLM configuration, give a reranker model a provider that supports reranking, for example jina_ai/NAME with the URL of the endpoint (http://HOST:9931/v1/rerank).',
		remedies: PLAIN_REMEDIES,
	},
};
