/** One request of a task: its queue, limits and retries, what is changed after a refusal, and its span. */
import { isErrorResponse } from '../errors/classify-error';
import { ServerError } from '../errors/server-error';
import { createInputError } from '../errors/create-error';
import type { HttpResponse, RequestOptions } from '../http/types';
import { toResponseError } from '../http/request-errors';
import type { Timeouts } from '../http/timeouts';
import {
	createFormBody,
	type FileSource,
	type FormPart,
	type UploadProgress,
} from '../http/multipart';
import { request } from '../http/request';
import type { Priority } from '../http/queue';
import { getMissingModelSuggestion } from '../servers/list-models';
import { type Adaptation, sendWithAdaptations, omitRejectedField } from '../servers/adaptations';
import {
	getRecognizedTypeName,
	isRecognizedType,
	getServerType,
	getServerProps,
} from '../servers/types';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import type { RequestAttributes } from '../tracing/span-attributes';
import { withSpan } from '../tracing/span';
import { parseJson } from '../json';
import { isRecord, type JsonRecord, toText } from '../values';

/** What every task has. */
export interface TaskSettings {
	/** Empty: the server chooses. */
	model: string;
	timeouts?: Partial<Timeouts>;
	retries?: number;
	priority: Priority;
	signal?: AbortSignal;
}

interface TaskRequest<T>
	extends Pick<
		RequestOptions,
		'streamFormat' | 'headers' | 'isIdempotent' | 'maxBytes' | 'isPreemptible'
	> {
	/** URL. A changed body may need another one. */
	route: string | ((body: JsonRecord) => string);
	/** The fields: JSON, or a form where there is a file. */
	body: JsonRecord;
	file?: FileSource;
	/** Fields of Extra Body. They replace others, and are sent as they are. */
	extraBody?: JsonRecord;
	/** The name of its span. */
	operation?: RequestAttributes['operation'];
	adaptations?: readonly Adaptation[];
	/** @param refused the failure that a text means which is no answer */
	read(answer: HttpResponse, refused: (text: string) => ServerError): Promise<T>;
	/** Tokens that the span gets. */
	getUsage?(value: T): { promptTokens?: number; completionTokens?: number };
}

/**
 * Sends the request of a task, and again with what a refusal asks for.
 *
 * @throws {ServerError}
 */
export async function runTask<T>(
	server: ModelServer,
	{ model, timeouts, retries: maxRetries, priority, signal }: TaskSettings,
	one: TaskRequest<T>,
): Promise<{ value: T; notes: string[] }> {
	const {
		body,
		file,
		extraBody = {},
		operation,
		streamFormat,
		maxBytes,
		isIdempotent,
		isPreemptible,
	} = one;
	const urlOf = (sent: JsonRecord) => (typeof one.route === 'string' ? one.route : one.route(sent));
	// How many requests the server takes at once.
	if (server.maxConcurrentRequests === 0) await getServerProps(server, model, signal);
	const send = async (to: ModelServer, sent: JsonRecord) => {
		const form = file === undefined ? undefined : createFormBody(partsOf(sent, file));
		const ask: RequestOptions = {
			url: urlOf(sent),
			...(form === undefined ? { json: sent } : { upload: form }),
			...{ headers: one.headers, streamFormat, maxBytes, timeouts, maxRetries, priority, signal },
			...{ isIdempotent, isPreemptible },
			...(model === '' ? {} : { model }),
		};
		const read = async (answer: HttpResponse) => {
			const { url, status, headers } = answer;
			return await one.read(answer, (text) =>
				toResponseError(to, ask, { url, status, headers, text }),
			);
		};
		return await request(to, ask, read).catch((error: unknown) => {
			throw form === undefined ? error : explainUploadError(error, form.sent);
		});
	};
	const place = JSON.stringify([server.id, urlOf(body), model]);
	const fields = { ...(model === '' ? {} : { model }), ...body, ...extraBody };
	const adaptations = [
		...(one.adaptations ?? []),
		omitRejectedField(new Set(Object.keys(extraBody))),
	];
	return await sendWithAdaptations(place, fields, adaptations, async (sent) => {
		if (operation === undefined) return await send(server, sent);
		const span = {
			operation,
			model,
			priority,
			provider: getRecognizedTypeName(server) ?? 'openai_compatible',
		};
		const answerOf = (value: T) => ({ usage: one.getUsage?.(value) });
		return await withSpan(server, span, async (traced) => await send(traced, sent), answerOf);
	});
}

/**
 * The JSON of an answer: an object or a list.
 *
 * @throws {ServerError} for anything else, and for a refusal
 */
export async function readJson(
	answer: HttpResponse,
	refused: (text: string) => ServerError,
): Promise<JsonRecord | unknown[]> {
	const text = await answer.text();
	const json = parseJson(text);
	if (Array.isArray(json)) return json as unknown[];
	if (isRecord(json) && !isErrorResponse({ status: answer.status, json })) return json;
	throw refused(text);
}

function partsOf(fields: JsonRecord, file: FileSource): FormPart[] {
	const parts = Object.entries(fields).flatMap(([field, value]) =>
		[value].flat().map((entry) => ({ field, value: toText(entry) })),
	);
	return [...parts, { field: 'file', file }];
}

/** Explains an upload that failed: the file could not be read, or the server or a proxy cut the connection. */
function explainUploadError(error: unknown, { unreadable, bytes }: UploadProgress): unknown {
	if (unreadable !== undefined) return createFileReadError(unreadable);
	const isCut =
		error instanceof ServerError &&
		(error.type === 'closedBeforeResponse' || error.type === 'connectionLost');
	if (!isCut || bytes === 0) return error;
	return error.copyWith({
		message: `The connection was closed during the file upload (${bytes} bytes sent)`,
		suggestion:
			'The usual cause is a file that is too large for the server or a proxy in front of it (nginx: client_max_body_size). The server may also have no such endpoint, or have failed on the file: check its log.',
	});
}

function createFileReadError({ name, reason }: { name: string; reason: string }): ServerError {
	return createInputError(
		`"${name}" could not be read: ${reason}`,
		'Check the binary data of the item and the binary data storage of n8n.',
	);
}

/** Rewords the first-token limit of a server that is silent while it works on a picture or a recording. */
export function explainFirstTokenTimeout(error: ServerError): ServerError {
	if (error.type !== 'firstTokenTimeout' || error.facts.queued === true) return error;
	return error.copyWith({
		message: 'The server did not start to respond within the First Token Timeout',
		suggestion:
			'It sends nothing while it processes an image or a recording: raise "First Token Timeout" (0 = no limit), request less at a time, or run Server Health to see whether it is busy or stuck.',
	});
}

/**
 * Rewords the refusal of a server that lacks the route of a task or the model.
 *
 * @param can what it cannot do, in words after "cannot"
 * @param remedy which servers can
 */
export async function explainUnsupportedRoute(
	server: ModelServer,
	error: ServerError,
	{ can, remedy, model }: { can: string; remedy: (kind: ServerType) => string; model: string },
): Promise<ServerError> {
	const kind = await getServerType(server);
	const way = getMissingModelSuggestion(server, model);
	if (error.type === 'modelNotFound' && way !== undefined)
		return error.withSuggestion(`Select the model from the list, or ${way}`);
	if (error.type !== 'routeNotFound' && error.type !== 'featureDisabled') return error;
	const isKnown = isRecognizedType(kind);
	// Of an unknown server, the address may be wrong.
	const address = isKnown ? '' : 'If other requests fail too, check the Base URL. ';
	return error.copyWith({
		type: 'featureDisabled',
		message: `${isKnown ? kind.label : 'The server'} cannot ${can}`,
		suggestion: `${address}${remedy(kind)}`,
	});
}
