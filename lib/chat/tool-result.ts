import { parseJson } from '../json';
import { isRecord, recordOf } from '../values';
import type { ContentPart } from './types';
import { contentPart } from './media';

export interface ToolResult {
	text: string;
	pictures: ContentPart[];
}

/**
 * Splits a tool's result into text and pictures: servers take pictures only in user messages, and as text a picture
 * would be 200 KB of base64 for the model. n8n passes results as content blocks, or as JSON text of them, also in MCP's
 * `content` and in `response`. Other blocks become JSON, so that nothing is lost.
 */
export function toolResult(content: unknown): ToolResult {
	const isText = typeof content === 'string';
	const parsed = isText && /"image/.test(content) ? parseJson(content) : content;
	const blocks = blocksIn(parsed);
	const pictures = blocks.map(pictureIn);
	if (isText && pictures.every((one) => one === undefined)) return { text: content, pictures: [] };
	let count = 0;
	return {
		text: blocks
			.map((block, index) =>
				pictures[index] === undefined ? textOf(block) : `[Picture ${++count}, below]`,
			)
			.join('\n'),
		pictures: pictures.filter((one) => one !== undefined),
	};
}

/** MCP puts blocks into `content`, n8n's agent 3.1 lists them in the `response` of each entry. */
function blocksIn(result: unknown): unknown[] {
	const inside = recordOf(result).content ?? result;
	const entries = Array.isArray(inside) ? (inside as unknown[]) : [inside];
	return entries.flatMap((entry) => {
		const { response } = recordOf(entry);
		return Array.isArray(response) ? (response as unknown[]) : [entry];
	});
}

function pictureIn(block: unknown): ContentPart | undefined {
	if (!isRecord(block) || !/^(?:input_)?image(?:_url)?$/.test(String(block.type))) return undefined;
	try {
		const part = contentPart(block);
		return part?.type === 'image' ? part : undefined;
	} catch {
		// Data that only looks like a picture.
		return undefined;
	}
}

/** The text of a content block. */
export function textOf(block: unknown): string {
	if (typeof block === 'string') return block;
	if (block === null || block === undefined) return '';
	const { text } = recordOf(block);
	return typeof text === 'string' ? text : JSON.stringify(block);
}
