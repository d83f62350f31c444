/** Lets a server make pictures. */
import { failure, invalidInput } from '../errors/create-error';
import { asFailed, type ServerError } from '../errors/server-error';
import { fileTypeOf } from '../files';
import { contextOf } from '../http/request-errors';
import type { Adaptation } from '../servers/adaptations';
import type { ModelServer } from '../servers/types/server-type';
import {
	filled,
	finiteNumber,
	type JsonRecord,
	nonEmptyText,
	optional,
	recordsIn,
} from '../values';
import { explained, task, type TaskSettings, withoutSilence } from './run-task';

export interface ImageRequest {
	prompt: string;
	count: number;
	/** Width x height in pixels, `512x768`; empty: the server chooses. */
	size: string;
	/** Empty: the server chooses. */
	format: '' | 'png' | 'jpeg' | 'webp';
	seed?: number;
	/** Further fields of the request. */
	extra: JsonRecord;
}

export interface GeneratedImage {
	content: Buffer;
	mimeType: string;
	extension: string;
	/** Pixels of a PNG, which servers send unless another format is asked for. */
	width?: number;
	height?: number;
	revisedPrompt?: string;
	seed?: number;
}

/** 64 pictures of a few megabytes in base64. */
const MAX_ANSWER_BYTES = 512 * 1024 * 1024;

/** @throws {ServerError} */
export async function draw(
	server: ModelServer,
	settings: TaskSettings,
	{ prompt, count, size, format, seed, extra }: ImageRequest,
): Promise<{ pictures: GeneratedImage[]; hints: string[] }> {
	if (prompt.trim() === '')
		throw invalidInput('The prompt is empty', 'Describe the image in the field Prompt.');
	if (size !== '' && !/^[1-9]\d{0,4}x[1-9]\d{0,4}$/.test(size))
		throw invalidInput(
			`The size "${size}" is not valid`,
			'Enter width x height in pixels, for example 512x768.',
		);
	const { value: entries, notes } = await task(server, settings, {
		route: `${server.url.api}/images/generations`,
		body: {
			...filled({ prompt, n: count, size, output_format: format }),
			...optional({ seed }),
			response_format: 'b64_json',
		},
		extra,
		adaptations: [withoutResponseFormat],
		maxBytes: MAX_ANSWER_BYTES,
		read: async (answer) => recordsIn((await answer.json()).data),
	}).catch(async (error: unknown) => {
		throw await cannotDraw(server, settings, asFailed(error).failed);
	});
	const pictures = entries.map((entry) => pictureIn(server, settings, entry));
	if (pictures.length === 0) throw noPicture(server, settings);
	const isFewer = pictures.length < count;
	const fewer = `The server returned ${pictures.length} of ${count} requested images.`;
	return { pictures, hints: isFewer ? [...notes, fewer] : notes };
}

/** Models of OpenAI's newer form, and servers with strict schemas, do not take the field and send base64 anyway. */
const withoutResponseFormat: Adaptation = (refusal, { response_format: format }) =>
	format !== undefined && refusal.matches(/response_format/gi).length > 0
		? {
				name: 'without response_format',
				apply: (body) =>
					Object.fromEntries(Object.entries(body).filter(([name]) => name !== 'response_format')),
			}
		: undefined;

async function cannotDraw(
	server: ModelServer,
	{ model }: TaskSettings,
	error: ServerError,
): Promise<ServerError> {
	// Ollama (seen: 0.17.4) sends an empty answer with status 200 after half a minute.
	const isEmpty = error.kind === 'invalidAnswer' && error.serverText === undefined;
	const failed = isEmpty ? error.reworded({ kind: 'notSupported' }) : withoutSilence(error);
	return await explained(server, failed, {
		can: 'generate images',
		remedy: ({ words }) => words.images,
		model,
	});
}

function pictureIn(
	server: ModelServer,
	{ model }: TaskSettings,
	{ b64_json: base64, url, revised_prompt: revised, seed }: JsonRecord,
): GeneratedImage {
	const address = nonEmptyText(base64) === undefined ? nonEmptyText(url) : undefined;
	const [data = ''] = (nonEmptyText(base64) ?? address ?? '').match(/[^,]*$/) ?? [];
	const content = Buffer.from(data, 'base64');
	const type = fileTypeOf(content);
	if (type?.kind !== 'picture')
		throw failure('invalidAnswer', contextOf(server, server.url.api, model), {
			message: 'The server response is not an image',
			meaning: `The server response is not an image, but ${address === undefined ? `${content.byteLength} bytes of another type` : 'a URL, which is not fetched'}`,
			remedy:
				'The node requests base64 (response_format "b64_json"). Check the server log and the Extra Body.',
		});
	const { mimeType, extension } = type;
	const revisedPrompt = nonEmptyText(revised);
	const size = extension === 'png' && content.byteLength > 24 ? pixelsOf(content) : {};
	const facts = { ...size, revisedPrompt, seed: finiteNumber(seed) };
	return { content, mimeType, extension, ...optional(facts) };
}

/** Of a PNG, whose header is its first part. */
function pixelsOf(content: Buffer): { width: number; height: number } {
	return { width: content.readUInt32BE(16), height: content.readUInt32BE(20) };
}

function noPicture(server: ModelServer, { model }: TaskSettings): ServerError {
	return failure('emptyAnswer', contextOf(server, server.url.api, model), {
		message: 'The server returned no image',
		remedy:
			'Check the server log: the model may not generate images, or the GPU may have too little memory for this size.',
	});
}
