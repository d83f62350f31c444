import type { EmbeddingSettings } from '../../../lib/embeddings/client';
import type { Prefixes } from '../../../lib/embeddings/prefixes';
import { readEmbeddingSettings } from '../../shared/embedding-fields';
import type { NodeParameters } from '../../shared/parameters';
import { withChosenModel } from '../../shared/search-models';
import type { Server } from '../../../lib/servers/rows/kind';
import { countTokens, type LlamaCall } from '../operation';

export type Vector = number[] | string;

/** Settings of an item's embeddings. */
export interface EmbedTask {
	settings: EmbeddingSettings;
	role: keyof Prefixes;
	/** One item with all vectors, rather than one for each. */
	mergeResults: boolean;
	asBase64: boolean;
}

/** Reads the settings of an item: expressions may differ. */
export async function taskIn(
	parameters: NodeParameters,
	server: Server,
	signal: AbortSignal,
): Promise<EmbedTask> {
	return {
		settings: await withChosenModel(
			readEmbeddingSettings(parameters),
			server,
			'embeddings',
			signal,
		),
		role: parameters.choice<keyof Prefixes>('role', 'document'),
		mergeResults: parameters.choice<'each' | 'together'>('output', 'each') === 'together',
		asBase64: parameters.choice<'base64' | 'numbers'>('options.encoding', 'numbers') === 'base64',
	};
}

/** A vector for the item: numbers, or base64 of little-endian 32-bit floats, as servers send them. */
export function encoded(
	vector: readonly number[],
	{ asBase64 }: Pick<EmbedTask, 'asBase64'>,
): Vector {
	if (!asBase64) return [...vector];
	const bytes = Buffer.alloc(vector.length * Float32Array.BYTES_PER_ELEMENT);
	vector.forEach((value, index) =>
		bytes.writeFloatLE(value, index * Float32Array.BYTES_PER_ELEMENT),
	);
	return bytes.toString('base64');
}

/** Shows the hints and tokens of a result in n8n. */
export function reportEmbedding(
	call: LlamaCall,
	{ truncated, tokens = 0 }: { truncated: number; tokens?: number },
	count: number,
): void {
	countTokens(call, { promptTokens: tokens, completionTokens: 0 });
	if (truncated > 0)
		call.hint(
			`${truncated} of ${count} texts were too long for the model: only their beginning counts.`,
		);
}
