import {
	asList,
	finiteNumber,
	isRecord,
	type JsonRecord,
	nonEmptyText,
	optional,
	recordOf,
} from '../values';

/** A picture as a server sent it: its content or its URL. */
export type ReceivedImage = ({ base64: string } | { url: string }) & {
	revisedPrompt?: string;
	seed?: number;
};

const CONTENT_FIELDS = ['b64_json', 'b64', 'base64', 'image_base64', 'image'];

/**
 * The pictures of an answer, in OpenAI's `data[]` and the forms of servers that came near it.
 *
 * @returns undefined where the answer has no list of pictures
 */
export function readImages(json: unknown): ReceivedImage[] | undefined {
	const list = imageList(json);
	return list?.flatMap((entry) => readImage(entry) ?? []);
}

function imageList(json: unknown): unknown[] | undefined {
	if (Array.isArray(json)) return json;
	if (!isRecord(json)) return undefined;
	for (const name of ['data', 'images', 'output'])
		if (Array.isArray(json[name])) return asList(json[name]);
	if (isRecord(json.data)) return imageList(json.data) ?? [json.data];
	return undefined;
}

function readImage(entry: unknown): ReceivedImage | undefined {
	if (typeof entry === 'string') return isAddress(entry) ? fromUrl(entry) : fromBase64(entry);
	if (!isRecord(entry)) return undefined;
	const revisedPrompt = nonEmptyText(entry.revised_prompt);
	const seed = finiteNumber(entry.seed);
	const more = optional({ revisedPrompt, seed });
	const image = imageOf(entry);
	return image === undefined ? undefined : { ...image, ...more };
}

function imageOf(entry: JsonRecord): ReceivedImage | undefined {
	const contents = CONTENT_FIELDS.map((name) => nonEmptyText(entry[name]));
	const base64 = contents.find((content) => content !== undefined);
	if (base64 !== undefined) return fromBase64(base64);
	const url = nonEmptyText(entry.url) ?? nonEmptyText(recordOf(entry.image_url).url);
	return url === undefined ? undefined : fromUrl(url);
}

/** Base64 of a JPEG begins with a slash as well. */
function isAddress(text: string): boolean {
	return (
		/^(?:https?:|data:)/i.test(text) ||
		/^\/?[\w%./-]+\.(?:png|jpe?g|webp|gif)(?:\?.*)?$/i.test(text)
	);
}

function fromUrl(url: string): ReceivedImage | undefined {
	return /^data:/i.test(url.trim()) ? fromBase64(url) : { url: url.trim() };
}

function fromBase64(text: string): ReceivedImage | undefined {
	const trimmed = text.trim();
	const comma = /^data:/i.test(trimmed.slice(0, 5)) ? trimmed.indexOf(',') : -1;
	const base64 = trimmed.slice(comma + 1);
	return base64 === '' ? undefined : { base64 };
}
