import type { ServerType } from './server-type';
import { other, DEFAULT_TEXTS } from './other';

/** LiteLLM's proxy, recognized by its headers, or by the date that it reports for all models (litellm/constants.py). */
export const litellm: ServerType = {
	...other,
	name: 'litellm',
	label: 'LiteLLM',
	isGateway: true,
	texts: {
		...DEFAULT_TEXTS,
		rerank:
			'In the LiteLLM configuration, give a reranker model a provider that supports reranking, for example jina_ai/NAME with the URL of the endpoint (http://HOST:9931/v1/rerank).',
	},
};
