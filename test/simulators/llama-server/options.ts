import type { RawHttpOptions } from '../raw-http';

/**
 * The simulated server: docs/protocols/llama-server.md 1 to 7 (llama-server), 2.10 (router), 8.2 to 8.4.
 */
export type Profile = 'llama-server' | 'router' | 'ollama' | 'vllm' | 'gpustack' | 'fastapi';

export type RouterStatus =
	| 'downloading'
	| 'downloaded'
	| 'unloaded'
	| 'loading'
	| 'loaded'
	| 'sleeping';

/** A model of a router or another server. */
export interface SimModel {
	id: string;
	aliases?: string[];
	vision?: boolean;
	audio?: boolean;
	nCtx?: number;
	/** Router: state at the start, default `unloaded`. Ollama: `unloaded` means not in memory, all others in memory. */
	status?: RouterStatus;
	/** Ollama: how many parameters it has, as `8.2B`. */
	size?: string;
	/** Router: the last attempt to load ended with this code; loading it again fails the same way. */
	exitCode?: number;
	/** Router: how long loading takes, in milliseconds. */
	loadMs?: number;
	/** Router: `embeddings = true`, `reranking = true` in its preset. */
	embeddings?: boolean;
	rerank?: boolean;
	/** Ollama and GPUStack: what the model can do besides chat. */
	tools?: boolean;
	thinking?: boolean;
	/** Ollama: it runs on this remote host. */
	remoteHost?: string;
	/** Ollama: an embedding model. */
	embedding?: boolean;
}

export interface SimEmbeddings {
	/** Numbers of a vector, default 8. */
	dimensions: number;
	/** Physical batch in tokens (`-ub`), default 512. */
	batch: number;
	/** Default `mean`. */
	pooling: 'mean' | 'none' | 'last';
	/** BERT-like: one token per word, two special tokens around a text, no chat. */
	encoder: boolean;
	/** Whether the vectors contain NaN. */
	nan: boolean;
}

export interface SimOptions {
	profile?: Profile;
	/** One key or several; without it every key is accepted. GPUStack always asks for one: default `gpustack-key`. */
	apiKey?: string | string[];
	/** `--api-prefix`: `/p`. */
	apiPrefix?: string;
	/** Answers 503 "Loading model" for so many requests, or milliseconds. */
	loadingFor?: number | { ms: number };
	/** `-np`, default 4. */
	slots?: number;
	/** Context of one slot in tokens, default 8192. One character is one token here. */
	nCtx?: number;
	/** `--alias`: the model's name, default `sim-model`. */
	alias?: string;
	modelPath?: string;
	/** An mmproj for images, for audio; ffmpeg for video. */
	vision?: boolean;
	audio?: boolean;
	video?: boolean;
	/** `--embeddings`: true, or its settings. */
	embeddings?: boolean | Partial<SimEmbeddings>;
	/** `--rerank`. */
	rerank?: boolean;
	/** `--metrics`. */
	metrics?: boolean;
	/**
	 * `chatml`: ChatML with tools. `thinking`: the same, with a thinking block at the start of every answer. `strict`: like
	 * Mistral's, refuses roles that do not alternate and tool IDs other than nine alphanumerics.
	 */
	template?: 'chatml' | 'thinking' | 'strict';
	/** Router, Ollama, vLLM, GPUStack: the models. Default: one named `alias`. */
	models?: SimModel[];
	/** Asleep at the start (`--sleep-idle-seconds`). */
	sleeping?: boolean;
	/** Time per generated token. Default 0. */
	tokenDelayMs?: number;
	/** Prompt tokens per batch, one progress event each. Default 2048. */
	batch?: number;
	/** Treatment of new connections, counted from 0. */
	connections?: RawHttpOptions['connections'];
	/** https with the test certificate, or with the given one. */
	tls?: boolean | { key: string; cert: string };
	port?: number;
	host?: string;
}

export type Settings = Required<
	Pick<
		SimOptions,
		| 'profile'
		| 'apiPrefix'
		| 'slots'
		| 'nCtx'
		| 'alias'
		| 'modelPath'
		| 'vision'
		| 'audio'
		| 'video'
		| 'rerank'
		| 'metrics'
		| 'template'
		| 'models'
		| 'tokenDelayMs'
		| 'batch'
	>
> & {
	keys: readonly string[];
	/** Undefined: the server was not started for embeddings. */
	embeddings: SimEmbeddings | undefined;
};

/** `--reranking` turns them on too. */
export const embeddingsOf = (given: SimOptions['embeddings']): SimEmbeddings | undefined =>
	given === undefined || given === false
		? undefined
		: {
				dimensions: 8,
				batch: 512,
				pooling: 'mean',
				encoder: false,
				nan: false,
				...(given === true ? {} : given),
			};

const DEFAULT_KEYS: Partial<Record<Profile, string[]>> = { gpustack: ['gpustack-key'] };

export const withDefaults = (options: SimOptions): Settings => {
	const profile = options.profile ?? 'llama-server';
	const alias = options.alias ?? 'sim-model';
	const apiKeys = options.apiKey === undefined ? undefined : [options.apiKey].flat();
	return {
		profile,
		alias,
		keys: apiKeys ?? DEFAULT_KEYS[profile] ?? [],
		apiPrefix: options.apiPrefix ?? '',
		slots: options.slots ?? 4,
		nCtx: options.nCtx ?? 8192,
		modelPath: options.modelPath ?? `models/${alias}.gguf`,
		vision: options.vision ?? false,
		audio: options.audio ?? false,
		video: options.video ?? false,
		embeddings: embeddingsOf(options.embeddings ?? options.rerank),
		rerank: options.rerank ?? false,
		metrics: options.metrics ?? false,
		template: options.template ?? 'chatml',
		models: options.models ?? [
			{ id: alias, vision: options.vision, audio: options.audio, tools: true },
		],
		tokenDelayMs: options.tokenDelayMs ?? 0,
		batch: options.batch ?? 2048,
	};
};
