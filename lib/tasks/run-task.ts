/** Runs a task: one exchange, in a span. */
import { isErrorResponse } from '../errors/error-body';
import { captureError, ServerError } from '../errors/server-error';
import { createInputError } from '../errors/create-error';
import type { HttpResponse, RequestOptions } from '../http/types';
import type { Timeouts } from '../http/timeouts';
import type { FormBody, FileSource, UploadProgress } from '../http/multipart';
import { createFormBody } from '../http/multipart';
import type { Priority } from '../http/queue';
import { omitRejectedField } from '../exchange/adaptations';
import type { Attempt } from '../exchange/attempt';
import type { ExchangeOptions, ExchangeResult } from '../exchange/exchange';
import { exchange } from '../exchange/exchange';
import { getProfile } from '../servers/profile';
import { other } from '../servers/types/other';
import type { ModelServer, RouteName } from '../servers/types/server-type';
import type { RequestAttributes } from '../tracing/attributes';
import { withSpan } from '../tracing/span';
import type { JsonRecord } from '../values/records';
import { isRecord } from '../values/records';
import { parseJson } from '../values/json';

/** Settings of every task. */
export interface TaskSettings {
	/** If empty, the server decides. */
	model: string;
	timeouts?: Partial<Timeouts>;
	retries?: number;
	priority: Priority;
	signal?: AbortSignal;
}

/** `D`: what a correction changes. */
export interface TaskRequest<T, D = undefined>
	extends
		Pick<RequestOptions, 'headers' | 'isIdempotent' | 'maxBytes' | 'maxMemory' | 'isPreemptible'>,
		Pick<ExchangeOptions<D, T>, 'routes' | 'adaptations'>,
		Pick<Attempt<D, T>, 'getPartial' | 'getShownLength'> {
	draft?: D;
	/** Fields of the JSON body, or of the form if there is a file. */
	toBody(route: RouteName, draft: D): JsonRecord;
	file?: FileSource;
	/** Fields of Extra Body in the body. They are never adapted. */
	extraBody?: JsonRecord;
	/** Name of the span. */
	operation?: RequestAttributes['operation'];
	read(response: HttpResponse): Promise<T>;
	/** The draft of a request that corrects the value; undefined for a usable one. */
	correct?(value: T, draft: D): D | undefined;
	/** Rewords an error of the task. */
	explain?(error: ServerError): ServerError | Promise<ServerError>;
	/** Token counts for the span. */
	getUsage?(value: T): { promptTokens?: number; completionTokens?: number };
}

/**
 * Gets the result of a task in an exchange.
 * Throws a `ServerError`.
 */
export async function runTask<T, D = undefined>(
	server: ModelServer,
	{ model, timeouts, retries, priority, signal }: TaskSettings,
	task: TaskRequest<T, D>,
): Promise<ExchangeResult<D, T>> {
	const { routes, extraBody = {}, operation, adaptations, explain } = task;
	const { headers, isIdempotent, maxBytes, maxMemory, isPreemptible } = task;
	// Reads how many concurrent requests the server supports.
	if (server.maxConcurrentRequests === 0) await getProfile(server).getProps(model, signal);
	let form: FormBody | undefined;
	const run = async (target: ModelServer) =>
		await exchange<D, T>(target, {
			learningScope: routes[0]!,
			routes,
			draft: task.draft as D,
			startAttempt: ({ draft, route }) => ({
				toBody: () => ({
					...(model !== '' && { model }),
					...task.toBody(route, draft),
				}),
				toContent: (body) => {
					if (!task.file) return { json: body };
					form = createFormBody(body, task.file);
					return { upload: form };
				},
				toOutcome: async (response) => {
					const value = await task.read(response);
					const completed = { type: 'completed', value } as const;
					const correctedDraft = task.correct?.(value, draft);
					return correctedDraft === undefined
						? completed
						: { type: 'unusable', correctedDraft, withoutCorrection: completed };
				},
				getPartial: () => task.getPartial?.(),
				getShownLength: () => task.getShownLength?.() ?? 0,
			}),
			adaptations: {
				...adaptations,
				field: [...(adaptations?.field ?? []), omitRejectedField(new Set(Object.keys(extraBody)))],
			},
			http: {
				...{ headers, isIdempotent, maxBytes, maxMemory, isPreemptible },
				timeouts,
				maxRetries: retries,
				signal,
				priority,
				...(model !== '' && { model }),
			},
		}).catch((error: unknown) => {
			throw form ? explainUploadError(error, form.sent) : error;
		});
	const provider = getProfile(server).getRecognizedName() ?? 'openai_compatible';
	const running =
		operation === undefined
			? run(server)
			: withSpan(server, { operation, model, priority, provider }, run, ({ value }) => ({
					usage: task.getUsage?.(value),
				}));
	return await running.catch(async (error: unknown) => {
		const cause = captureError(error);
		// An explanation may wait for the server type, which Stop must not.
		throw explain && cause.type !== 'aborted' ? await explain(cause) : error;
	});
}

/**
 * Reads a JSON object or array.
 * Throws a `ServerError` for anything else, and for an error response.
 */
export async function readJson(response: HttpResponse): Promise<unknown[] | JsonRecord> {
	const text = await response.text();
	const json = parseJson(text);
	if (Array.isArray(json)) return json as unknown[];
	if (isRecord(json) && !isErrorResponse({ status: response.status, json })) return json;
	throw response.toError(text);
}

/** Explains a failed upload: the file could not be read, or the server or a proxy closed the connection. */
function explainUploadError(error: unknown, { unreadable, bytes }: UploadProgress) {
	if (unreadable)
		return createInputError(
			`"${unreadable.name}" could not be read: ${unreadable.reason}`,
			'Check the binary data of the item and the binary data storage of n8n.',
		);
	const isConnectionClosed =
		error instanceof ServerError &&
		(error.type === 'closedBeforeResponse' || error.type === 'connectionLost');
	if (!isConnectionClosed || bytes === 0) return error;
	return error.copyWith({
		title: `The connection was closed during the file upload (${bytes} bytes sent)`,
		suggestion:
			'The usual cause is a file that is too large for the server or a proxy in front of it (nginx: client_max_body_size). The server may also have no such endpoint, or have failed on the file: check its log.',
	});
}

/** Explains the first-token timeout of a server that sends nothing while it processes an image or a recording. */
export function explainFirstTokenTimeout(error: ServerError): ServerError {
	if (error.type !== 'firstTokenTimeout' || error.facts.queued === true) return error;
	return error.copyWith({
		title: 'The server did not start to respond within the First Token Timeout',
		suggestion:
			'It sends nothing while it processes an image or a recording: raise "First Token Timeout" (0 = no limit), request less at a time, or run Server Health to see whether it is busy or stuck.',
	});
}

/** What servers cannot do, as text after "cannot". The server type has the text of each. */
const FEATURES = {
	completion: 'complete text',
	embeddings: 'create embeddings',
	rerank: 'rerank',
	images: 'generate images',
	transcription: 'transcribe audio',
	translation: 'translate audio',
	speech: 'speak',
};

/** Explains the error of a server that lacks the route of a feature, or the model. */
export async function explainUnsupportedRoute(
	server: ModelServer,
	error: ServerError,
	feature: keyof typeof FEATURES,
	model: string,
	suffix = '',
): Promise<ServerError> {
	const serverType = await getProfile(server).getType();
	const { texts, label } = serverType;
	const suggestion = texts.missingModel?.(model);
	if (error.type === 'modelNotFound' && suggestion !== undefined)
		return error.withSuggestion(`Select the model from the list, or ${suggestion}`);
	if (error.type !== 'routeNotFound' && error.type !== 'featureDisabled') return error;
	const isRecognized = serverType !== other;
	// The URL of an unrecognized server may be wrong.
	const urlSuggestion = isRecognized ? '' : 'If other requests fail too, check the Base URL. ';
	return error.copyWith({
		type: 'featureDisabled',
		title: `${isRecognized ? label : 'The server'} cannot ${FEATURES[feature]}${suffix}`,
		suggestion: `${urlSuggestion}${texts[feature]}`,
	});
}
