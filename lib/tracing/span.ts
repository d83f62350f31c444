import { ServerError } from '../errors/server-error';
import type { Priority } from '../http/scheduler';
import type { ServerAddress } from '../http/types';
import {
	attributesOf,
	type TracedRequest,
	type TracedExchange,
	type TracedAnswer,
} from './attributes';
import { raceAgainstAbort } from '../http/waiting';
import { optional, quietly } from '../values';

/** The parts used of OpenTelemetry's API, which comes with n8n. */
type OpenTelemetry = Pick<
	typeof import('@opentelemetry/api'),
	'propagation' | 'trace' | 'ROOT_CONTEXT'
>;

/** What is asked in a span. */
interface Traceable<C> {
	readonly url: ServerAddress;
	/** The helpers of the node's context. */
	readonly host?: object;
	readonly priority?: Priority;
	mask(text: string): string;
	/** The same with further headers. */
	traced(headers: Record<string, string>): C;
}

/** The span of one request to one server. All its methods do nothing where n8n exports no traces. */
export interface RequestSpan<C = unknown> {
	/** The connection with the header `traceparent`, so that the server's own spans are children of this one. */
	connection: C;
	/** Adds attributes from an answer. */
	note(answer: TracedAnswer): void;
	/** Records a failure by its title, which contains no URL and no text of a server. @returns the error */
	fail(error: unknown): unknown;
	/** Gives the span to n8n's exporter. Calling it twice is harmless. */
	end(): void;
}

/** Values of OpenTelemetry's enumerations. */
const CLIENT_SPAN = 2;
const STATUS_ERROR = 2;
/** Limit for reading n8n's header, which n8n sets before it sends anything. */
const HOST_LIMIT_MS = 1_000;

/** Starts the span of a request as a child of n8n's span of the node. */
async function startSpan<C extends Traceable<C>>(
	connection: C,
	request: TracedRequest,
): Promise<RequestSpan<C>> {
	const api = openTelemetry();
	const headers = api === undefined ? {} : await nodeSpan(connection);
	const isTraced = api !== undefined && 'traceparent' in headers;
	const begun = isTraced ? quietly(() => begin(connection, request, api, headers)) : undefined;
	return begun ?? { connection, note: nothing, fail: (error) => error, end: nothing };
}

function begin<C extends Traceable<C>>(
	connection: C,
	request: TracedRequest,
	api: OpenTelemetry,
	headers: object,
): RequestSpan<C> {
	const parent = api.propagation.extract(api.ROOT_CONTEXT, headers);
	const mask = (text: string) => connection.mask(text);
	const observation: TracedExchange = {
		...request,
		server: connection.url,
		priority: connection.priority,
		startedAt: performance.now(),
	};
	const name = mask(
		request.model === undefined ? request.operation : `${request.operation} ${request.model}`,
	);
	const tracer = api.trace.getTracer('n8n-nodes-local-llama');
	const span = tracer.startSpan(
		name,
		{ kind: CLIENT_SPAN, attributes: attributesOf(observation, mask) },
		parent,
	);
	const own: Record<string, string> = {};
	api.propagation.inject(api.trace.setSpan(parent, span), own);
	const { traceparent, tracestate } = own;
	return {
		connection: connection.traced({ ...optional({ traceparent, tracestate }) }),
		note: (answer) =>
			quietly(
				() => void span.setAttributes(attributesOf(Object.assign(observation, answer), mask)),
			),
		fail: (error) => {
			const { kind, message } =
				error instanceof ServerError ? error : { kind: 'unexpected', message: undefined };
			quietly(() =>
				span.setAttributes(attributesOf(Object.assign(observation, { error: kind }), mask)),
			);
			quietly(() =>
				span.setStatus({ code: STATUS_ERROR, ...optional({ message: message && mask(message) }) }),
			);
			return error;
		},
		end: () => quietly(() => (span.isRecording() ? span.end() : undefined)),
	};
}

/**
 * Runs work that returns once an answer has begun, and returns the still open span with it. If the work fails, the span
 * ends.
 */
export async function beginInSpan<C extends Traceable<C>, T extends object>(
	connection: C,
	request: TracedRequest,
	work: (connection: C) => Promise<T>,
): Promise<T & { span: RequestSpan }> {
	const span = await startSpan(connection, request);
	try {
		return { ...(await work(span.connection)), span };
	} catch (error) {
		const failed = span.fail(error);
		span.end();
		throw failed;
	}
}

/** Runs work in a span of its own. `answerOf`: the attributes from its result. */
export async function inSpan<C extends Traceable<C>, T>(
	connection: C,
	request: TracedRequest,
	work: (connection: C) => Promise<T>,
	answerOf: (result: T) => TracedAnswer,
): Promise<T> {
	const span = await startSpan(connection, request);
	try {
		const result = await work(span.connection);
		span.note(answerOf(result));
		return result;
	} catch (error) {
		throw span.fail(error);
	} finally {
		span.end();
	}
}

function nothing(): void {}

/**
 * Undefined: not looked for yet; null: not found. A search that finds nothing visits all folders, which takes longer
 * than a request.
 */
let hostApi: OpenTelemetry | null | undefined;

/** n8n's OpenTelemetry, if n8n exports traces: otherwise no propagator is registered. */
function openTelemetry(): OpenTelemetry | undefined {
	if (hostApi === undefined)
		hostApi = quietly(() => module.require('@opentelemetry/api') as OpenTelemetry) ?? null;
	const api = hostApi ?? undefined;
	const fields = quietly(() => api?.propagation.fields()) ?? [];
	return fields.length > 0 ? api : undefined;
}

type HttpRequest = (request: {
	url: string;
	headers: object;
	abortSignal: AbortSignal;
}) => Promise<unknown>;

/**
 * The headers of n8n's span of the node, which n8n adds to every request of a node (docs/protocols/n8n.md 4.9). This
 * request is aborted before a socket is opened. Read again for each request: while a model is supplied, n8n's span is
 * still that of the workflow.
 */
async function nodeSpan({
	host,
	url,
}: Pick<Traceable<unknown>, 'host' | 'url'>): Promise<Record<string, string>> {
	const headers: Record<string, string> = {};
	const { httpRequest } = (host ?? {}) as { httpRequest?: HttpRequest };
	const request = quietly(() =>
		httpRequest?.call(host, { url: url.root, headers, abortSignal: AbortSignal.abort() }),
	);
	// It always fails: it was aborted.
	await raceAgainstAbort(AbortSignal.timeout(HOST_LIMIT_MS), async () => await request).catch(
		nothing,
	);
	return headers;
}
