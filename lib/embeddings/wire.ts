import type { Connection } from '../http/connection';
import type { ServerKind } from '../servers/kinds/kind';

/** A text, or the tokens of one. */
export type EmbeddingInput = string | number[];

export interface EmbeddingRequest {
	model: string;
	input: EmbeddingInput[];
	/** The server shall keep the beginning of a text that is too long. */
	truncate: boolean;
	/** Numbers that a vector should have. */
	dimensions?: number;
	/** How long Ollama keeps the model in memory. */
	keepAlive?: string | number;
}

/** Base64 is a quarter of the size. Others send floats whatever is asked for, or were not seen with it. */
const TAKES_BASE64: ReadonlySet<ServerKind> = new Set(['llamaServer', 'llamaRouter', 'vllm']);

/** Those that keep the beginning of a long text where they are told to. */
const CUTS_ITSELF: ReadonlySet<ServerKind> = new Set(['ollama', 'tei', 'vllm']);
export const cutsItself = (kind: ServerKind): boolean => CUTS_ITSELF.has(kind);

/**
 * Where and how a kind of server is asked for embeddings. Ollama and Text Embeddings Inference by their own routes:
 * only those can be told not to cut long texts without a word.
 */
export function embeddingCall(
	{ url }: Connection,
	kind: ServerKind,
	{ model, input, truncate, dimensions, keepAlive }: EmbeddingRequest,
): { url: string; json: Record<string, unknown> } {
	const size = dimensions === undefined ? {} : { dimensions };
	switch (kind) {
		case 'ollama':
			return {
				url: `${url.root}/api/embed`,
				json: { model, input, truncate, ...size, ...(keepAlive === undefined ? {} : { keep_alive: keepAlive }) },
			};
		case 'tei':
			return { url: `${url.root}/embed`, json: { inputs: input, truncate, ...size } };
		default:
			return {
				url: `${url.api}/embeddings`,
				json: {
					model,
					input,
					encoding_format: TAKES_BASE64.has(kind) ? 'base64' : 'float',
					...size,
					// The length of the model (vLLM, protocol of its embeddings route).
					...(kind === 'vllm' && truncate ? { truncate_prompt_tokens: -1 } : {}),
				},
			};
	}
}
