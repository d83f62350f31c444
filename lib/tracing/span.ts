/** A span of OpenTelemetry around a request to a server. */
import { ServerError } from '../errors/server-error';
import { mask } from '../errors/mask';
import { tell } from '../errors/tell';
import type { Endpoint } from '../http/types';
import { rejectOnAbort } from '../http/abort';
import { omitUndefined } from '../values/records';
import { tryOrUndefined } from '../values/try-or-undefined';
import type { RequestAttributes, ResponseAttributes, SpanData } from './attributes';
import { toSpanAttributes } from './attributes';

/** The parts used of OpenTelemetry's API, which comes with n8n. */
type OpenTelemetry = Pick<
	typeof import('@opentelemetry/api'),
	'propagation' | 'trace' | 'ROOT_CONTEXT'
>;

/** A server that receives requests of a node. */
type TracedEndpoint = Endpoint & { readonly n8nHelpers?: object };

/** Values of OpenTelemetry's enumerations. */
const CLIENT_SPAN = 2;

const STATUS_ERROR = 2;

/** Timeout for reading n8n's header, which n8n sets before it sends anything. */
const HOST_TIMEOUT_MS = 1_000;

/** Work that is traced, and how its span shows it. */
interface TracedWork<T, S> {
	request: RequestAttributes;
	/** Receives the endpoint with the header `traceparent`, so that the server's own spans are children of this one. */
	work(endpoint: S): Promise<T>;
	/** The span's attributes from the result. */
	toAttributes(result: T): ResponseAttributes;
}

/** Runs work in a separate span, a child of n8n's span of the node, if n8n exports traces. */
export async function withSpan<T, S extends TracedEndpoint>(
	endpoint: S,
	{ request, work, toAttributes }: TracedWork<T, S>,
): Promise<T> {
	const api = loadOpenTelemetry();
	const headers = api && (await fetchTraceHeaders(endpoint));
	const span = headers?.traceparent
		? tryOrUndefined(() => startSpan(endpoint, { request, api: api!, headers }))
		: undefined;
	if (!span) return await work(endpoint);
	try {
		const result = await work(span.endpoint);
		span.setAttributes(toAttributes(result));
		return result;
	} catch (error) {
		throw span.recordException(error);
	} finally {
		span.end();
	}
}

/** What a span begins with. */
interface SpanStart {
	request: RequestAttributes;
	api: OpenTelemetry;
	/** Those of n8n's span of the node. */
	headers: object;
}

/** Its methods never throw: the request matters more than its trace. */
function startSpan<S extends TracedEndpoint>(endpoint: S, { request, api, headers }: SpanStart) {
	const parent = api.propagation.extract(api.ROOT_CONTEXT, headers);
	const masked = (text: string) => mask(text, endpoint.secrets);
	const observation: SpanData = {
		...request,
		server: endpoint.url,
		startedAt: performance.now(),
	};
	const name = masked(
		request.model === undefined ? request.operation : `${request.operation} ${request.model}`,
	);
	const tracer = api.trace.getTracer('n8n-nodes-local-llama');
	const span = tracer.startSpan(
		name,
		{ kind: CLIENT_SPAN, attributes: toSpanAttributes(observation, masked) },
		parent,
	);
	const traceHeaders: Record<string, string> = {};
	api.propagation.inject(api.trace.setSpan(parent, span), traceHeaders);
	const { traceparent, tracestate } = traceHeaders;
	const setAttributes = (attributes: ResponseAttributes) =>
		tryOrUndefined(() =>
			span.setAttributes(toSpanAttributes(Object.assign(observation, attributes), masked)),
		);
	return {
		endpoint: {
			...endpoint,
			headers: { ...endpoint.headers, ...omitUndefined({ traceparent, tracestate }) },
		},
		setAttributes,
		/** Records an error by its title in the words of the node. Returns the error. */
		recordException: (error: unknown) => {
			const isKnown = error instanceof ServerError;
			setAttributes({ errorType: isKnown ? error.type : 'unexpected' });
			const message = isKnown ? { message: masked(tell(error, 'trace').title) } : {};
			tryOrUndefined(() => span.setStatus({ code: STATUS_ERROR, ...message }));
			return error;
		},
		end: () => tryOrUndefined(() => (span.isRecording() ? span.end() : undefined)),
	};
}

/**
 * Undefined before the search; null if it is not installed. A search that finds nothing visits all folders, which takes longer
 * than a request.
 */
let hostApi: OpenTelemetry | null | undefined;

/** n8n's OpenTelemetry, if n8n exports traces: otherwise no propagator is registered. */
function loadOpenTelemetry() {
	if (hostApi === undefined)
		hostApi = tryOrUndefined(() => module.require('@opentelemetry/api') as OpenTelemetry) ?? null;
	const api = hostApi ?? undefined;
	const fields = tryOrUndefined(() => api?.propagation.fields()) ?? [];
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
async function fetchTraceHeaders({ n8nHelpers, url }: TracedEndpoint) {
	const headers: Record<string, string> = {};
	const { httpRequest } = (n8nHelpers ?? {}) as { httpRequest?: HttpRequest };
	const request = tryOrUndefined(() =>
		httpRequest?.call(n8nHelpers, { url: url.root, headers, abortSignal: AbortSignal.abort() }),
	);
	// It always fails: it was aborted.
	await rejectOnAbort(AbortSignal.timeout(HOST_TIMEOUT_MS), async () => await request).catch(
		() => {},
	);
	return headers;
}
