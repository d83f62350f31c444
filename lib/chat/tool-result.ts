import type { ContentPart } from '../files/read-file';
import { parseJson } from '../json';
import { isRecord, asRecord } from '../values';
import { blockToText } from './content';
import { parseContentPart } from './parse-content-part';

interface ToolResultContent {
	text: string;
	images: ContentPart[];
}

/**
 * Splits a tool's result into text and images: servers accept images only in user messages, and as text an image would
 * be 200 KB of base64 for the model. n8n passes results as content blocks, or as JSON text of them, also in MCP's
 * `content` and in `response`. Other blocks become JSON, so that nothing is lost.
 */
export function parseToolResult(content: unknown): ToolResultContent {
	const isText = typeof content === 'string';
	const blocks = collectBlocks(content);
	const imageByBlock = blocks.map(parseImage);
	if (isText && imageByBlock.every((image) => image === undefined))
		return { text: content, images: [] };
	let count = 0;
	return {
		text: blocks
			.map((block, index) =>
				imageByBlock[index] === undefined ? blockToText(block) : `[Image ${++count}, below]`,
			)
			.join('\n'),
		images: imageByBlock.filter((image) => image !== undefined),
	};
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
	try {
		const part = parseContentPart(block);
		return part?.type === 'image' && part.url.startsWith('data:') ? part : undefined;
	} catch {
		// Data that only looks like an image.
		return undefined;
	}
}
