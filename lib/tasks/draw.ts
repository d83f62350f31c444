/** Lets a server make pictures. */
import { isLoopback } from '../errors/remedies';
import { failure, invalidInput } from '../errors/failure';
import { asFailed, type ServerError } from '../errors/server-error';
import { fileTypeOf, pictureFacts } from '../files';
import { contextOf } from '../http/failures';
import { request } from '../http/request';
import { readWhole } from '../http/too-long';
import type { Adaptation } from '../servers/once-more';
import type { Server } from '../servers/kinds/kind';
import {
	filled,
	finiteNumber,
	type JsonRecord,
	nonEmptyText,
	optional,
	recordsIn,
} from '../values';
import { explained, task, type TaskSettings, withoutSilence } from './task';

export interface DrawRequest {
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

export interface Picture {
	content: Buffer;
	mimeType: string;
	extension: string;
	/** Pixels, where the beginning of the file tells. */
	width?: number;
	height?: number;
	revisedPrompt?: string;
	seed?: number;
}

/** 64 pictures of a few megabytes in base64. */
const MAX_ANSWER_BYTES = 512 * 1024 * 1024;
const MAX_PICTURE_BYTES = 100 * 1024 * 1024;

/** @throws {ServerError} */
export async function draw(
	server: Server,
	settings: TaskSettings,
	{ prompt, count, size, format, seed, extra }: DrawRequest,
): Promise<{ pictures: Picture[]; hints: string[] }> {
	if (prompt.trim() === '')
		throw invalidInput('There is no prompt', 'Describe the picture in the field Prompt.');
	if (size !== '' && !/^[1-9]\d{0,4}x[1-9]\d{0,4}$/.test(size))
		throw invalidInput(
			`The size "${size}" is not valid`,
			'Write width x height in pixels, for example 512x768.',
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
	const pictures: Picture[] = [];
	for (const entry of entries) pictures.push(await pictureIn(server, settings, entry));
	if (pictures.length === 0) throw noPicture(server, settings);
	const isFewer = pictures.length < count;
	const fewer = `The server made ${pictures.length} of the ${count} pictures that were asked for.`;
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
	server: Server,
	{ model }: TaskSettings,
	error: ServerError,
): Promise<ServerError> {
	// Ollama (seen: 0.17.4) sends an empty answer with status 200 after half a minute.
	const isEmpty = error.kind === 'invalidAnswer' && error.serverText === undefined;
	const failed = isEmpty ? error.reworded({ kind: 'notSupported' }) : withoutSilence(error);
	return await explained(server, failed, {
		can: 'make pictures',
		remedy: ({ words }) => words.images,
		model,
	});
}

async function pictureIn(
	server: Server,
	settings: TaskSettings,
	{ b64_json: base64, url, revised_prompt: revised, seed }: JsonRecord,
): Promise<Picture> {
	const text = nonEmptyText(base64) ?? nonEmptyText(url) ?? '';
	const isAddress = nonEmptyText(base64) === undefined && !/^data:/i.test(text);
	const content = isAddress
		? await fetched(server, settings, text)
		: Buffer.from(text.slice(text.startsWith('data:') ? text.indexOf(',') + 1 : 0), 'base64');
	const type = fileTypeOf(content);
	if (type?.kind !== 'picture')
		throw failure('invalidAnswer', contextOf(server, server.url.api, settings.model), {
			message: 'What the server sent is not a picture',
			meaning: `What the server sent is not a picture: ${content.byteLength} bytes of another kind`,
			remedy: 'Look at the log of the server.',
		});
	const { mimeType, extension } = type;
	const { width, height } = pictureFacts(content);
	const revisedPrompt = nonEmptyText(revised);
	const facts = { width, height, revisedPrompt, seed: finiteNumber(seed) };
	return { content, mimeType, extension, ...optional(facts) };
}

/**
 * Fetches a picture by the URL that the server gave: n8n's egress filter checks it, and the key goes to no other host. A
 * server could name any address in the network of n8n, so only that of the credential is asked, after a redirect too.
 *
 * @throws {ServerError}
 */
async function fetched(
	server: Server,
	{ limits, signal, model }: TaskSettings,
	address: string,
): Promise<Buffer> {
	const url = addressOf(server, address);
	if (url === undefined) throw elsewhere(server, address.slice(0, 200));
	const refuseRedirect = (place: string) =>
		new URL(place).origin === server.url.origin
			? undefined
			: elsewhere(server, new URL(place).origin);
	const refused = refuseRedirect(url);
	if (refused !== undefined) throw refused;
	const ask = {
		...{ url, limits, signal, model, refuseRedirect },
		headers: { accept: 'image/*, */*' },
		maxBytes: MAX_PICTURE_BYTES,
	};
	return await request(server, ask, async (answer) => await readWhole(answer.bytes())).catch(
		(error: unknown) => {
			throw notGivenOut(asFailed(error).failed);
		},
	);
}

/** An absolute URL. Servers call themselves `localhost`, which is another machine for n8n, or another port. */
export function addressOf(
	{ url: { root, origin } }: Pick<Server, 'url'>,
	address: string,
): string | undefined {
	if (!URL.canParse(address, `${root}/`)) return undefined;
	const url = new URL(address, `${root}/`);
	if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
	return (isLoopback(url.hostname) ? origin : url.origin) + url.pathname + url.search;
}

const LIES_AT = 'The picture lies at';

function elsewhere(server: Server, place: string): ServerError {
	const { origin } = server.url;
	return failure('invalidAnswer', contextOf(server, server.url.api), {
		message: `${LIES_AT} ${place}, which is not the server of the credential, so it is not fetched`,
		remedy: `Let the server send base64 in place of addresses (it is asked for that by response_format "b64_json", unless it refuses this field), or let it name its files under ${origin}.`,
	});
}

/** The picture is made: asking again would make another one. */
function notGivenOut(error: ServerError): ServerError {
	if (error.kind === 'aborted' || error.message.startsWith(LIES_AT)) return error;
	const message = 'The server made a picture, but does not give it out';
	return error.reworded({
		kind: 'invalidAnswer',
		message,
		meaning: `${message}: ${error.meaning}`,
	});
}

function noPicture(server: Server, { model }: TaskSettings): ServerError {
	return failure('emptyAnswer', contextOf(server, server.url.api, model), {
		message: 'The server sent no picture',
		remedy:
			'Look at its log: the model may be none for pictures, or the memory of the card may not do for this size.',
	});
}
