/**
 * Simulates llama-server, alone or as a router, and the servers that nodes tell apart from it (`profile`). Responses are
 * deterministic, or scripted:
 *
 *     const server = await startLlamaServerSim({ apiKey: 'secret' });
 *     server.script(reply.text('Hello'), reply.toolCalls([{ name: 'get_time', arguments: {} }]));
 *     …
 *     await server.close();
 */
import { waitFor } from '../support/waiting/wait-for';
import { testCertificate } from '../support/servers/tls';
import { App } from './llama-server/app';
import type { SlotState } from './llama-server/app';
import { withDefaults } from './llama-server/options';
import type { SimModel, SimOptions } from './llama-server/options';
import type { Scripted } from './llama-server/reply';
import { startHttpServer } from './http-server';
import type { WireRequest } from './http-server';

export { reply } from './llama-server/reply';
export type { Scripted, ScriptedCall } from './llama-server/reply';
export type { SimOptions } from './llama-server/options';
export type { WireRequest } from './http-server';
export { startSilentServer } from './silent';

export interface LlamaServerSim {
	/** `http://127.0.0.1:port`, without prefix and without `/v1`. */
	readonly url: string;
	readonly port: number;
	/** Every request, in order of arrival. */
	readonly requests: readonly WireRequest[];
	/** Connections accepted so far, and open now. */
	readonly connections: { readonly accepted: number; readonly open: number };
	/** The models of a router or another server: their `status` and `exitCode` may be changed. */
	readonly models: SimModel[];
	/**
	 * Queues replies for the next generations (chat or text). A function gets the request; if it returns undefined, or
	 * if the queue is empty, the default response is given.
	 */
	script(...replies: Scripted[]): void;
	/** Number of queued replies. */
	readonly scripted: number;
	/** Replaces the response of one route, before any check: `server.route('GET /health', reply.html(502, '…'))`. */
	route(methodAndPath: string, answer: Scripted | undefined): void;
	slots(): SlotState[];
	/** 503 "Loading model" for so many requests or milliseconds from now; 0 ends it. */
	setLoading(left: number | { ms: number }): void;
	/** Resolves when the condition holds (checked every millisecond); fails after 30 s. */
	until(condition: () => boolean): Promise<void>;
	/** Stops at once: sockets destroyed, timers cleared. */
	close(): Promise<void>;
}

/** Starts a simulator on a free port of 127.0.0.1. */
export async function startLlamaServerSim(options: SimOptions = {}): Promise<LlamaServerSim> {
	const { loadingFor, tls, connections, host, port } = options;
	const settings = withDefaults(options);
	const closed = new AbortController();
	const app = new App(settings, closed.signal);
	app.setLoading(loadingFor);
	const http = await startHttpServer({
		handle: async (exchange) => await app.handle(exchange),
		host,
		port,
		connections,
		tls: tls === true ? testCertificate() : undefined,
	});
	return {
		url: http.url,
		port: http.port,
		requests: http.requests,
		connections: http,
		models: settings.models,
		script: (...replies) => void app.script.push(...replies),
		get scripted() {
			return app.script.length;
		},
		route: (methodAndPath, answer) => {
			if (answer === undefined) app.scriptedRoutes.delete(methodAndPath);
			else app.scriptedRoutes.set(methodAndPath, answer);
		},
		slots: () => app.slots(),
		setLoading: (left) => app.setLoading(left),
		until: waitFor,
		close: async () => {
			closed.abort();
			await http.close();
		},
	};
}
