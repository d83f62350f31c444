/**
 * A simulator of llama-server v0.5.0 after docs/protocols/llama-server.md and the recordings in `test/fixtures/`: answers
 * are exact to the byte, with faults on demand. Profiles simulate other servers.
 *
 *     const server = await startLlamaServerSim({ slots: 2, apiKey: 'secret' });
 *     server.script(reply.text('Hello'), reply.toolCalls([{ name: 'get_time', arguments: {} }], { split: 1 }));
 *     …
 *     await server.close();
 */
import { setTimeout as delay } from 'node:timers/promises';
import { testCertificate } from '../support/tls';
import type { App } from './llama-server/app';
import { LlamaApp } from './llama-server/app';
import { Core } from './llama-server/core';
import { OllamaApp } from './llama-server/ollama';
import { type Profile, type SimModel, type SimOptions, withDefaults } from './llama-server/options';
import { FastapiApp, GpustackApp, VllmApp } from './llama-server/python-servers';
import type { Scripted } from './llama-server/reply';
import { RouterApp } from './llama-server/router';
import type { SlotState } from './llama-server/slots';
import { type RawHttpServer, startRawHttpServer, type WireRequest } from './raw-http';

export { reply } from './llama-server/reply';
export type {
	CallStyle,
	Delta,
	GenerationOptions,
	GenerationReply,
	PlainReply,
	Reply,
	ReplyOptions,
	Scripted,
	ScriptedCall,
	Step,
	ToolCallDelta,
} from './llama-server/reply';
export type { Profile, RouterStatus, SimModel, SimOptions } from './llama-server/options';
export type { SlotState } from './llama-server/slots';
export type { WireRequest } from './raw-http';
export { type SilentServer, startSilentServer } from './silent';

export interface LlamaServerSim {
	/** `http://127.0.0.1:port`, without prefix and without `/v1`. */
	readonly url: string;
	readonly port: number;
	/** Every request seen, in order of arrival. */
	readonly requests: readonly WireRequest[];
	/** Connections accepted so far, and open now. */
	readonly connections: { readonly accepted: number; readonly open: number };
	/** The models of a router or another server: their `status` and `exitCode` may be changed. */
	readonly models: SimModel[];
	/**
	 * Queues replies for the next completions (chat, text or native). A function gets the request; when it returns
	 * undefined, the default answer is given. With the queue empty, requests get default answers.
	 */
	script(...replies: Scripted[]): void;
	/** Replies that are still queued. */
	readonly scripted: number;
	/** Replaces the answer of one route, before any check: `server.route('GET /health', reply.html(502, '…'))`. */
	route(methodAndPath: string, answer: Scripted | undefined): void;
	slots(): SlotState[];
	/** 503 "Loading model" for so many requests or milliseconds from now; 0 ends it. */
	setLoading(left: number | { ms: number }): void;
	/** Resolves when the condition holds (checked every millisecond); fails after `limitMs` (30 s). */
	until(condition: () => boolean, limitMs?: number): Promise<void>;
	/** Stops at once: sockets destroyed, timers cleared. */
	close(): Promise<void>;
}

const appFor = (profile: Profile, core: Core, options: SimOptions): App => {
	switch (profile) {
		case 'router':
			return new RouterApp(core, options);
		case 'ollama':
			return new OllamaApp(core);
		case 'vllm':
			return new VllmApp(core);
		case 'gpustack':
			return new GpustackApp(core);
		case 'fastapi':
			return new FastapiApp(core);
		default:
			return new LlamaApp(core, options);
	}
};

/** Starts a simulator on a free port of 127.0.0.1. */
export const startLlamaServerSim = async (options: SimOptions = {}): Promise<LlamaServerSim> => {
	const settings = withDefaults(options);
	const core = new Core(settings);
	const app = appFor(settings.profile, core, options);
	const http: RawHttpServer = await startRawHttpServer({
		handle: async (exchange) => await app.handle(exchange),
		host: options.host,
		port: options.port,
		connections: options.connections,
		tls: options.tls === true ? testCertificate() : options.tls || undefined,
	});
	return {
		url: `${options.tls ? 'https' : 'http'}://${http.host}:${http.port}`,
		port: http.port,
		requests: http.requests,
		connections: http,
		models: settings.models,
		script: (...replies) => {
			core.script.push(...replies);
		},
		get scripted() {
			return core.script.length;
		},
		route: (methodAndPath, answer) => {
			if (answer === undefined) core.routes.delete(methodAndPath);
			else core.routes.set(methodAndPath, answer);
		},
		slots: () => core.pool.state(),
		setLoading: (left) => app.setLoading?.(left),
		until: async (condition, limitMs = 30_000) => {
			const end = Date.now() + limitMs;
			while (!condition()) {
				if (Date.now() > end)
					throw new Error(`not so within ${limitMs} ms: ${condition.toString()}`);
				await delay(1);
			}
		},
		close: async () => {
			core.closed.abort();
			await http.close();
		},
	};
};
