import type { ContentPart } from '../files/read-file';
import { parseJson } from '../json';
import { isRecord, asRecord, tryOrUndefined } from '../values';
import { blockToText } from './content';
import { parseContentPart } from './parse-content-part';

/**
 * Splits a tool's result into text and images: servers accept images only in user messages, and as text an image would
 * be 200 KB of base64 for the model. n8n passes results as content blocks, or as JSON text of them, also in MCP's
 * `content` and in `response`. Other blocks become JSON, so that nothing is lost.
 */
export function parseToolResult(content: unknown): { text: string; images: ContentPart[] } {
	const images: ContentPart[] = [];
	const texts = collectBlocks(content).map((block) => {
		const image = parseImage(block);
		if (image === undefined) return blockToText(block);
		images.push(image);
		return `[Image ${images.length}, below]`;
	});
	// Text without images stays as it is.
	const text = typeof content === 'string' && images.length === 0 ? content : texts.join('\n');
	return { text, images };
}

/** MCP puts blocks into `content`; n8n's agent 3.1 lists them in the `response` of each entry, as text if it was text. */
function collectBlocks(result: unknown): unknown[] {
	const parsed =
		typeof result === 'string' && result.includes('"image') ? parseJson(result) : undefined;
	const blocks = asRecord(parsed ?? result).content ?? parsed ?? result;
	return [blocks].flat().flatMap((entry: unknown) => {
		const { response } = asRecord(entry);
		return response === undefined ? [entry] : collectBlocks(response);
	});
}

/** Accepts only data: a URL would be fetched by the model server inside its network, past n8n's egress filter. */
function parseImage(block: unknown): ContentPart | undefined {
	if (!isRecord(block) || !/^image(?:_url)?$/.test(String(block.type))) return undefined;
	// Undefined for data that only looks like an image.
	const part = tryOrUndefined(() => parseContentPart(block));
	return part?.type === 'image' && part.url.startsWith('data:') ? part : undefined;
}
