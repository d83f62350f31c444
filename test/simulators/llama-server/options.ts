import type { HttpServerOptions } from '../http-server';

/** The simulated server (docs/protocols/llama-server.md 1 to 8). */
export type Profile = 'llama-server' | 'router' | 'ollama' | 'vllm' | 'gpustack' | 'fastapi';

/** A model of a router or another server. */
export interface SimModel {
	id: string;
	aliases?: string[];
	vision?: boolean;
	audio?: boolean;
	/** Router: state at the start, default `unloaded`. */
	status?: 'downloading' | 'downloaded' | 'unloaded' | 'loading' | 'loaded' | 'sleeping';
	/** Router: the last attempt to load ended with this code; loading it again fails the same way. */
	exitCode?: number;
	/** Router: how long loading takes, in milliseconds. */
	loadMs?: number;
	/** Router: `embeddings = true` in its preset. */
	embeddings?: boolean;
	/** Ollama: whether the model supports tools. */
	tools?: boolean;
}

export interface SimEmbeddings {
	/** Numbers of a vector, default 8. */
	dimensions: number;
	/** Physical batch in tokens (`-ub`), default 512. */
	batch: number;
	/** An encoder does not chat. */
	encoder: boolean;
}

export interface SimOptions {
	profile?: Profile;
	/** Without a key, every request is accepted. */
	apiKey?: string;
	/** `--api-prefix`: `/p`. */
	apiPrefix?: string;
	/** Responds with 503 "Loading model" to so many requests, or for milliseconds. */
	loadingFor?: number | { ms: number };
	/** `-np`, default 4. */
	slots?: number;
	/** Context of one slot in tokens, default 8192. One character is one token here. */
	nCtx?: number;
	/** `--alias`: the model's name, default `sim-model`. */
	alias?: string;
	vision?: boolean;
	audio?: boolean;
	video?: boolean;
	/** `--embeddings`: true, or its settings. */
	embeddings?: boolean | Partial<SimEmbeddings>;
	/** `--rerank`. */
	rerank?: boolean;
	/** A decision model: it answers questions of System One. */
	decisions?: boolean;
	/** `--metrics`. */
	metrics?: boolean;
	/** Chat template: `strict` supports neither tools nor system messages. */
	template?: 'chatml' | 'thinking' | 'strict';
	/** All but llama-server: the models. Default: one named `alias`. */
	models?: SimModel[];
	/** Time per generated token. Default 0. */
	tokenDelayMs?: number;
	/** Treatment of new connections, counted from 0. */
	connections?: HttpServerOptions['connections'];
	/** https with the test certificate. */
	tls?: boolean;
	port?: number;
	host?: string;
}

export type Settings = Required<
	Omit<SimOptions, 'apiKey' | 'embeddings' | 'loadingFor' | 'connections' | 'tls' | 'port' | 'host'>
> & {
	apiKey: string | undefined;
	/** Undefined: the server was not started for embeddings. */
	embeddings: SimEmbeddings | undefined;
};

function withEmbeddingDefaults(given: SimOptions['embeddings']): SimEmbeddings | undefined {
	if (given === undefined || given === false) return undefined;
	return { dimensions: 8, batch: 512, encoder: false, ...(given === true ? {} : given) };
}

export function withDefaults(options: SimOptions): Settings {
	const { alias = 'sim-model', vision = false, audio = false } = options;
	return {
		profile: 'llama-server',
		apiKey: undefined,
		apiPrefix: '',
		slots: 4,
		nCtx: 8192,
		video: false,
		rerank: false,
		decisions: false,
		metrics: false,
		template: 'chatml',
		models: [{ id: alias, vision, audio, tools: true }],
		tokenDelayMs: 0,
		...options,
		alias,
		vision,
		audio,
		embeddings: withEmbeddingDefaults(options.embeddings ?? options.rerank),
	};
}
