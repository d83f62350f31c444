/** Sends the request of a task: queue, timeouts, retries, adaptations after a rejection, and span. */
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

/** Settings of every task. */
export interface TaskSettings {
	/** If empty, the server decides. */
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
	/** URL. An adapted body may need another one. */
	route: string | ((body: JsonRecord) => string);
	/** Fields of the JSON body, or of the form if there is a file. */
	body: JsonRecord;
	file?: FileSource;
	/** Fields of Extra Body. They replace others, and are never adapted. */
	extraBody?: JsonRecord;
	/** Name of the span. */
	operation?: RequestAttributes['operation'];
	adaptations?: readonly Adaptation[];
	/** @param toError converts an error text inside a response */
	read(response: HttpResponse, toError: (text: string) => ServerError): Promise<T>;
	/** Token counts for the span. */
	getUsage?(value: T): { promptTokens?: number; completionTokens?: number };
}

/**
 * Sends the request of a task, and sends it again with the adaptations that a rejection requires.
 *
 * @throws {ServerError}
 */
export async function runTask<T>(
	server: ModelServer,
	{ model, timeouts, retries: maxRetries, priority, signal }: TaskSettings,
	task: TaskRequest<T>,
): Promise<{ value: T; warnings: string[] }> {
	const {
		body,
		file,
		extraBody = {},
		operation,
		streamFormat,
		maxBytes,
		isIdempotent,
		isPreemptible,
	} = task;
	const getUrl = (requestBody: JsonRecord) =>
		typeof task.route === 'string' ? task.route : task.route(requestBody);
	// Reads how many concurrent requests the server supports.
	if (server.maxConcurrentRequests === 0) await getServerProps(server, model, signal);
	const send = async (target: ModelServer, requestBody: JsonRecord) => {
		const form = file === undefined ? undefined : createFormBody(toFormParts(requestBody, file));
		const requestOptions: RequestOptions = {
			url: getUrl(requestBody),
			...(form === undefined ? { json: requestBody } : { upload: form }),
			...{ headers: task.headers, streamFormat, maxBytes, timeouts, maxRetries, priority, signal },
			...{ isIdempotent, isPreemptible },
			...(model === '' ? {} : { model }),
		};
		const read = async (response: HttpResponse) => {
			const { url, status, headers } = response;
			return await task.read(response, (text) =>
				toResponseError(target, requestOptions, { url, status, headers, text }),
			);
		};
		return await request(target, requestOptions, read).catch((error: unknown) => {
			throw form === undefined ? error : explainUploadError(error, form.sent);
		});
	};
	const cacheKey = JSON.stringify([server.id, getUrl(body), model]);
	const fields = { ...(model === '' ? {} : { model }), ...body, ...extraBody };
	const adaptations = [
		...(task.adaptations ?? []),
		omitRejectedField(new Set(Object.keys(extraBody))),
	];
	return await sendWithAdaptations(cacheKey, fields, adaptations, async (requestBody) => {
		if (operation === undefined) return await send(server, requestBody);
		const span = {
			operation,
			model,
			priority,
			provider: getRecognizedTypeName(server) ?? 'openai_compatible',
		};
		const getSpanResult = (value: T) => ({ usage: task.getUsage?.(value) });
		return await withSpan(
			server,
			span,
			async (tracedServer) => await send(tracedServer, requestBody),
			getSpanResult,
		);
	});
}

/**
 * Reads a JSON object or array.
 *
 * @throws {ServerError} for anything else, and for an error response
 */
export async function readJson(
	response: HttpResponse,
	toError: (text: string) => ServerError,
): Promise<JsonRecord | unknown[]> {
	const text = await response.text();
	const json = parseJson(text);
	if (Array.isArray(json)) return json as unknown[];
	if (isRecord(json) && !isErrorResponse({ status: response.status, json })) return json;
	throw toError(text);
}

function toFormParts(fields: JsonRecord, file: FileSource): FormPart[] {
	const parts = Object.entries(fields).flatMap(([field, value]) =>
		[value].flat().map((entry) => ({ field, value: toText(entry) })),
	);
	return [...parts, { field: 'file', file }];
}

/** Explains a failed upload: the file could not be read, or the server or a proxy closed the connection. */
function explainUploadError(error: unknown, { unreadable, bytes }: UploadProgress): unknown {
	if (unreadable !== undefined) return createFileReadError(unreadable);
	const isConnectionClosed =
		error instanceof ServerError &&
		(error.type === 'closedBeforeResponse' || error.type === 'connectionLost');
	if (!isConnectionClosed || bytes === 0) return error;
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

/** Explains the first-token timeout of a server that sends nothing while it processes an image or a recording. */
export function explainFirstTokenTimeout(error: ServerError): ServerError {
	if (error.type !== 'firstTokenTimeout' || error.facts.queued === true) return error;
	return error.copyWith({
		message: 'The server did not start to respond within the First Token Timeout',
		suggestion:
			'It sends nothing while it processes an image or a recording: raise "First Token Timeout" (0 = no limit), request less at a time, or run Server Health to see whether it is busy or stuck.',
	});
}

/**
 * Explains the error of a server that lacks the route of a task, or the model.
 *
 * @param action continues "The server cannot …"
 * @param getSuggestion names servers that support it
 */
export async function explainUnsupportedRoute(
	server: ModelServer,
	error: ServerError,
	{
		action,
		getSuggestion,
		model,
	}: { action: string; getSuggestion: (serverType: ServerType) => string; model: string },
): Promise<ServerError> {
	const serverType = await getServerType(server);
	const suggestion = getMissingModelSuggestion(server, model);
	if (error.type === 'modelNotFound' && suggestion !== undefined)
		return error.withSuggestion(`Select the model from the list, or ${suggestion}`);
	if (error.type !== 'routeNotFound' && error.type !== 'featureDisabled') return error;
	const isRecognized = isRecognizedType(serverType);
	// The URL of an unrecognized server may be wrong.
	const urlSuggestion = isRecognized ? '' : 'If other requests fail too, check the Base URL. ';
	return error.copyWith({
		type: 'featureDisabled',
		message: `${isRecognized ? serverType.label : 'The server'} cannot ${action}`,
		suggestion: `${urlSuggestion}${getSuggestion(serverType)}`,
	});
}
