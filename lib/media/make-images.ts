import { invalidInput } from '../errors/failure';
import { asFailed, type ServerError } from '../errors/server-error';
import { MAX_PICTURES_BYTES } from '../http/answer';
import type { Connection } from '../http/connection';
import { formBody, type FileSource, type FormPart } from '../http/multipart';
import type { CallAnswer } from '../http/types';
import { ServerPool } from '../servers/pool/server-pool';
import { isIdentified, type KindName, kindOf } from '../servers/kinds';
import { filled, isRecord, type JsonRecord, optional, words } from '../values';
import { fetchImage } from './fetch-image';
import { imageFacts, type ImageFacts } from './image-data';
import { isJobRouteMissing, runImageJob, type JobFacts } from './image-job';
import { readImages, type ReceivedImage } from './read-images';
import { type MediaCall, atServer, mediaFailure, sendOptions, uploadFailure } from './task';
import { askWebUi } from './web-ui';
import type { ImageAttempt, ImageOptions, ImageRequest } from './types';

export interface MadeImage extends ImageFacts {
	content: Buffer;
	revisedPrompt?: string;
	seed?: number;
}

interface ImagesMade {
	images: MadeImage[];
	remarks: string[];
	/** Set where the server made them in a job. */
	job?: JobFacts;
}

/**
 * Lets a server make or edit pictures.
 *
 * @throws {ServerError}
 */
export async function makeImages(
	servers: Connection | ServerPool,
	request: ImageRequest,
	options: ImageOptions,
): Promise<ImagesMade> {
	checkRequest(request);
	const origins = ServerPool.of(servers).connections.map(({ url }) => url.origin);
	return await atServer(
		servers,
		'images',
		request,
		options,
		async (call) => await makeImagesAt(call, origins),
	);
}

async function makeImagesAt(
	{ connection, request, options, kind }: MediaCall<ImageRequest, ImageOptions>,
	origins: readonly string[],
): Promise<ImagesMade> {
	const { model, count } = request;
	const hasJobs = kindOf(kind).media.hasImageJobs === true;
	const outcome = await answerOf(connection, request, options, hasJobs)
		.catch(async (error: unknown) => await byWebUi(connection, request, options, { kind, error }))
		.catch(asFailed);
	if ('failed' in outcome) throw mediaFailure(outcome.failed, 'images', kind, model);
	const { json, answer, job } = outcome;
	const received = readImages(json);
	if (received === undefined || received.length === 0)
		throw noImages(connection, answer, json, request);
	const contentOf = async (one: ReceivedImage) =>
		'base64' in one
			? Buffer.from(one.base64, 'base64')
			: await fetchImage(connection, one.url, origins, options);
	const images: MadeImage[] = [];
	for (const one of received) images.push(madeOf(connection, one, await contentOf(one), request));
	const remarks =
		images.length < count
			? [`The server made ${images.length} of the ${count} pictures that were asked for.`]
			: [];
	return { images, remarks, ...optional({ job }) };
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

interface Answered {
	json: unknown;
	answer: Pick<CallAnswer, 'url' | 'status' | 'text'>;
	job?: JobFacts;
}

async function answerOf(
	connection: Connection,
	request: ImageRequest,
	options: ImageAttempt,
	hasJobs: boolean,
): Promise<Answered> {
	if (hasJobs) {
		const outcome = await runImageJob(connection, request, options).catch(asFailed);
		if (!('failed' in outcome)) return outcome;
		// sd-server before it had jobs.
		if (!isJobRouteMissing(outcome.failed)) throw outcome.failed;
	}
	const withFormat = await send(connection, request, options, !hasJobs).catch(asFailed);
	if (!('failed' in withFormat)) return withFormat;
	// Models of OpenAI's newer form, and servers with strict schemas, do not take the field and send base64 anyway.
	const { status, serverText = '' } = withFormat.failed;
	const isRefused = (status === 400 || status === 422) && /response_format/i.test(serverText);
	if (hasJobs || !isRefused) throw withFormat.failed;
	return await send(connection, request, options, false);
}

/** Servers of no known kind may be a Stable Diffusion WebUI, which has other routes. */
async function byWebUi(
	connection: Connection,
	request: ImageRequest,
	options: ImageAttempt,
	{ kind, error }: { kind: KindName; error: unknown },
): Promise<Answered> {
	const { failed } = asFailed(error);
	if (isIdentified(kind) || (failed.status !== 404 && failed.status !== 405)) throw failed;
	const outcome = await askWebUi(connection, request, options).catch(asFailed);
	if (!('failed' in outcome)) return outcome;
	// If it lacks these routes too, the first error says more.
	throw outcome.failed.status === 404 || outcome.failed.status === 405 ? failed : outcome.failed;
}

async function send(
	connection: Connection,
	request: ImageRequest,
	options: ImageAttempt,
	withResponseFormat: boolean,
): Promise<Answered> {
	const { model, images } = request;
	const fields = {
		...openAiFields(request),
		...(withResponseFormat ? { response_format: 'b64_json' } : {}),
		...request.extra,
	};
	const common = { ...sendOptions(model, options), maxBytes: MAX_PICTURES_BYTES };
	if (images.length === 0) {
		const answer = await connection.answer(`${connection.url.api}/images/generations`, {
			...common,
			json: fields,
		});
		return { json: answer.json, answer };
	}
	const url = `${connection.url.api}/images/edits`;
	const body = formBody(formOf(fields, request));
	try {
		const answer = await connection.answer(url, { ...common, body });
		return { json: answer.json, answer };
	} catch (error) {
		throw await uploadFailure(error, body.sent, connection, url);
	}
}

function openAiFields({
	model,
	prompt,
	count,
	size,
	format,
	negativePrompt,
	steps,
	guidance,
	seed,
}: ImageRequest) {
	return {
		...filled({
			model,
			prompt,
			n: count,
			size,
			output_format: format,
			negative_prompt: negativePrompt,
		}),
		...optional({ steps, cfg_scale: guidance, seed }),
	};
}

function formOf(fields: JsonRecord, { images, mask }: ImageRequest): FormPart[] {
	const field = images.length > 1 ? 'image[]' : 'image';
	return [
		...Object.entries(fields).map(([name, value]) => ({ field: name, value: words(value) })),
		...images.map((file) => ({ field, file: withExtension(file) })),
		...(mask === undefined ? [] : [{ field: 'mask', file: withExtension(mask) }]),
	];
}

/** Servers go by the extension, so a name without one gets one. */
function withExtension(file: FileSource): FileSource {
	if (/\.[A-Za-z0-9]{2,5}$/.test(file.name)) return file;
	const [, type] = /^image\/(png|jpeg|webp|gif)/.exec(file.mimeType) ?? [];
	if (type === undefined) return file;
	return { ...file, name: `${file.name}.${type === 'jpeg' ? 'jpg' : type}` };
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
	answer: Answered['answer'],
	json: unknown,
	{ model }: ImageRequest,
): ServerError {
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
