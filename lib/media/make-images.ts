import { invalidInput } from '../errors/failure';
import { asFailed, type ServerError } from '../errors/server-error';
import { MAX_PICTURES_BYTES } from '../http/answer';
import type { Connection } from '../http/connection';
import type { CallAnswer } from '../http/types';
import { filled, isRecord, type JsonRecord, optional } from '../values';
import { fetchImage } from './fetch-image';
import { imageFacts, type ImageFacts } from './image-data';
import { readImages, type ReceivedImage } from './read-images';
import { type MediaAttempt, type MediaOptions, callFor, mediaFailure, sendOptions } from './task';

export interface ImageRequest {
	/** Empty: the server chooses. */
	model: string;
	prompt: string;
	count: number;
	/** Width x height in pixels, `512x768`; empty: the server chooses. */
	size: string;
	/** Empty: the server chooses. */
	format: '' | 'png' | 'jpeg' | 'webp';
	seed?: number;
	/** Further fields of the request, in the server's own words. */
	extra: JsonRecord;
}

export interface MadeImage extends ImageFacts {
	content: Buffer;
	revisedPrompt?: string;
	seed?: number;
}

interface ImagesMade {
	images: MadeImage[];
	remarks: string[];
}

/**
 * Lets a server make pictures.
 *
 * @throws {ServerError}
 */
export async function makeImages(
	connection: Connection,
	request: ImageRequest,
	imageOptions: MediaOptions,
): Promise<ImagesMade> {
	checkRequest(request);
	const { options, kind } = await callFor(connection, 'images', request, imageOptions);
	const { model, count } = request;
	const answer = await answerOf(connection, request, options).catch(asFailed);
	if ('failed' in answer) throw mediaFailure(answer.failed, 'images', kind, model);
	const received = readImages(answer.json);
	if (received === undefined || received.length === 0) throw noImages(connection, answer, request);
	const contentOf = async (one: ReceivedImage) =>
		'base64' in one
			? Buffer.from(one.base64, 'base64')
			: await fetchImage(connection, one.url, options);
	const images: MadeImage[] = [];
	for (const one of received) images.push(madeOf(connection, one, await contentOf(one), request));
	const remarks =
		images.length < count
			? [`The server made ${images.length} of the ${count} pictures that were asked for.`]
			: [];
	return { images, remarks };
}

/** @throws {ServerError} before anything is sent */
function checkRequest({ prompt, size }: ImageRequest): void {
	if (prompt.trim() === '')
		throw invalidInput('There is no prompt', 'Describe the picture in the field Prompt.');
	if (size !== '' && !/^[1-9]\d{0,4}x[1-9]\d{0,4}$/.test(size))
		throw invalidInput(
			`The size "${size}" is not valid`,
			'Write width x height in pixels, for example 512x768.',
		);
}

async function answerOf(
	connection: Connection,
	request: ImageRequest,
	options: MediaAttempt,
): Promise<CallAnswer> {
	const withFormat = await send(connection, request, options, true).catch(asFailed);
	if (!('failed' in withFormat)) return withFormat;
	// Models of OpenAI's newer form, and servers with strict schemas, do not take the field and send base64 anyway.
	const { status, serverText = '' } = withFormat.failed;
	const isRefused = (status === 400 || status === 422) && /response_format/i.test(serverText);
	if (!isRefused) throw withFormat.failed;
	return await send(connection, request, options, false);
}

async function send(
	connection: Connection,
	request: ImageRequest,
	options: MediaAttempt,
	withResponseFormat: boolean,
): Promise<CallAnswer> {
	const { model, prompt, count, size, format, seed } = request;
	return await connection.answer(`${connection.url.api}/images/generations`, {
		...sendOptions(model, options),
		maxBytes: MAX_PICTURES_BYTES,
		json: {
			...filled({ model, prompt, n: count, size, output_format: format }),
			...optional({ seed }),
			...(withResponseFormat ? { response_format: 'b64_json' } : {}),
			...request.extra,
		},
	});
}

function madeOf(
	connection: Connection,
	{ revisedPrompt, seed }: ReceivedImage,
	content: Buffer,
	{ model }: ImageRequest,
): MadeImage {
	const facts = imageFacts(content);
	if (facts === undefined)
		throw connection.failure('invalidAnswer', {
			model,
			message: 'What the server sent is not a picture',
			meaning: `What the server sent is not a picture: ${content.byteLength} bytes that are neither PNG, JPEG, WebP nor GIF`,
			remedy: 'Look at the log of the server. If it makes pictures of another format, ask for png.',
		});
	return { content, ...facts, ...optional({ revisedPrompt, seed }) };
}

function noImages(
	connection: Connection,
	answer: CallAnswer,
	{ model }: ImageRequest,
): ServerError {
	const { json } = answer;
	if (isRecord(json) && (json.error !== undefined || json.detail !== undefined))
		return connection.errorInBody(answer.text, answer.url, { model });
	return connection.failure('emptyAnswer', {
		url: answer.url,
		model,
		status: answer.status,
		message: 'The server sent no picture',
		remedy:
			'Look at its log: the model may be none for pictures, or the memory of the card may not do for this size.',
		serverText: answer.text.slice(0, 300),
	});
}
