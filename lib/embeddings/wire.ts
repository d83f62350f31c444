import type { Connection } from '../http/connection';
import { type KindName, kindOf } from '../servers/kinds';
import type { EmbeddingRequest } from '../servers/kinds/task-abilities';
import { type JsonRecord, optional } from '../values';

/** URL and body of an embedding request: the server's own route, or OpenAI's. */
export function embeddingCall(
	{ url }: Connection,
	kind: KindName,
	request: EmbeddingRequest,
): { url: string; json: JsonRecord } {
	const { request: ownRequest, base64, truncateFields } = kindOf(kind).embeddings;
	const own = ownRequest?.(request);
	if (own !== undefined) return { url: url.root + own.path, json: own.json };
	const { model, input, truncate, dimensions, takesOneText = false } = request;
	return {
		url: `${url.api}/embeddings`,
		json: {
			model,
			input: takesOneText ? input[0] : input,
			encoding_format: base64 === true ? 'base64' : 'float',
			...optional({ dimensions }),
			...(truncate ? truncateFields : {}),
		},
	};
}
