/** Each server's format of the same chat answer: key order, role chunk, names, usage, IDs. */
import { stringify } from './json';
import type { Timings } from './params';
import type { Profile } from './options';
import type { Delta, ToolCallDelta } from './reply';
import { randomAlphanumerics } from './text';

export interface Meta {
	id: string;
	model: string;
	/** Seconds since the epoch. */
	created: number;
}

export interface Usage {
	completion: number;
	prompt: number;
	cached: number;
}

export interface Choice {
	index: number;
	finish: string | null;
	delta: Delta;
	logprobs?: object;
}

/** The assistant message of a non-streamed answer. */
export interface Answer {
	content: string;
	reasoning: string;
	calls: Array<{ id?: string; name?: string; arguments: string }>;
}

export interface Dialect {
	/** Delta of the first chunk, if any. */
	opening: Delta | undefined;
	/** Translates a builder's delta to the server's format. */
	translate(delta: Delta): Delta;
	chunk(
		meta: Meta,
		choices: Choice[],
		extra?: { usage?: Usage; timings?: Timings; progress?: object },
	): object;
	/** Body of a non-streamed answer. */
	completion(
		meta: Meta,
		answers: Array<{ answer: Answer; finish: string; logprobs?: object }>,
		usage: Usage,
		timings: Timings,
	): object;
	/** Place of usage. `wished`: `stream_options.include_usage`, undefined if not sent. */
	usageIn(wished: boolean | undefined): 'separate' | 'none';
	/** An error event within a stream. */
	streamError(error: { message: string; code?: number; type?: string }): string;
	/** `[DONE]` after an error. */
	doneAfterError: boolean;
	newId(seed: number): string;
}

export const event = (data: object | string): string =>
	`data: ${typeof data === 'string' ? data : stringify(data)}\n\n`;

const openAiUsage = ({ prompt, completion }: Usage): object => ({
	prompt_tokens: prompt,
	total_tokens: prompt + completion,
	completion_tokens: completion,
});

export const FINGERPRINT = 'b1-de3ff81';

/** docs/protocols/llama-server.md 2.7 and 3.2, recorded. */
export const llamaUsage = ({ completion, prompt, cached }: Usage): object => ({
	completion_tokens: completion,
	prompt_tokens: prompt,
	total_tokens: completion + prompt,
	prompt_tokens_details: { cached_tokens: cached },
});

const llamaMessage = ({ content, reasoning, calls }: Answer): object => ({
	role: 'assistant',
	content,
	...(reasoning === '' ? {} : { reasoning_content: reasoning }),
	...(calls.length === 0
		? {}
		: {
				tool_calls: calls.map((call) => ({
					type: 'function',
					function: { name: call.name ?? '', arguments: call.arguments },
					id: call.id,
				})),
			}),
});

const llama: Dialect = {
	opening: { role: 'assistant', content: null },
	translate: (delta) => delta,
	chunk: ({ created, id, model }, choices, { usage, timings, progress } = {}) => ({
		choices: choices.map(({ finish, index, delta, logprobs }) => ({
			finish_reason: finish,
			index,
			delta,
			logprobs,
		})),
		created,
		id,
		model,
		system_fingerprint: FINGERPRINT,
		object: 'chat.completion.chunk',
		...(usage && { usage: llamaUsage(usage) }),
		...(timings && { timings }),
		...(progress && { prompt_progress: progress }),
	}),
	completion: ({ created, id, model }, answers, usage, timings) => ({
		choices: answers.map(({ answer, finish, logprobs }, index) => ({
			finish_reason: finish,
			index,
			message: llamaMessage(answer),
			logprobs,
		})),
		created,
		model,
		system_fingerprint: FINGERPRINT,
		object: 'chat.completion',
		usage: llamaUsage(usage),
		id,
		timings,
	}),
	usageIn: (wished) => (wished ? 'separate' : 'none'),
	streamError: ({ message, code = 500, type = 'server_error' }) =>
		event({ error: { code, message, type } }),
	doneAfterError: false,
	newId: (seed) => `chatcmpl-${randomAlphanumerics(32, seed)}`,
};

const renamed = ({ reasoning_content: thought, ...delta }: Delta): Delta =>
	thought === undefined ? delta : { ...delta, reasoning: thought };

/** Merges deltas into an answer: Ollama and simulated streams send whole calls. */
export const collect = (deltas: readonly Delta[]): Answer => {
	const answer: Answer = { content: '', reasoning: '', calls: [] };
	const calls = new Map<number, Answer['calls'][number]>();
	for (const delta of deltas) {
		answer.content += delta.content ?? '';
		answer.reasoning += delta.reasoning_content ?? delta.reasoning ?? '';
		delta.tool_calls?.forEach((entry, at) => {
			const index = entry.index ?? at;
			const call = calls.get(index) ?? { arguments: '' };
			calls.set(index, call);
			call.id ??= entry.id;
			call.name = entry.function?.name ?? call.name;
			const piece = entry.function?.arguments;
			if (piece !== undefined)
				call.arguments += typeof piece === 'string' ? piece : JSON.stringify(piece);
		});
	}
	answer.calls = [...calls.entries()].sort(([a], [b]) => a - b).map(([, call]) => call);
	return answer;
};

const openAiCalls = (calls: Answer['calls'], prefix: string): ToolCallDelta[] =>
	calls.map((call, index) => ({
		id: call.id === undefined ? undefined : `${prefix}${call.id.slice(0, 8)}`,
		index,
		type: 'function',
		function: { name: call.name, arguments: call.arguments },
	}));

const openAiMessage = ({ content, reasoning, calls }: Answer, prefix: string): object => ({
	role: 'assistant',
	content,
	...(reasoning === '' ? {} : { reasoning }),
	...(calls.length === 0 ? {} : { tool_calls: openAiCalls(calls, prefix) }),
});

const plainUsage = ({ prompt, completion }: Usage): object => ({
	prompt_tokens: prompt,
	completion_tokens: completion,
	total_tokens: prompt + completion,
});

/** docs/protocols/llama-server.md 8.2. */
const ollama: Dialect = {
	opening: { role: 'assistant', content: '' },
	translate: renamed,
	chunk: ({ created, id, model }, choices, { usage } = {}) => ({
		id,
		object: 'chat.completion.chunk',
		created,
		model,
		system_fingerprint: 'fp_ollama',
		choices: choices.map(({ index, delta, finish }) => ({ index, delta, finish_reason: finish })),
		...(usage && { usage: plainUsage(usage) }),
	}),
	completion: ({ created, id, model }, answers, usage) => ({
		id,
		object: 'chat.completion',
		created,
		model,
		system_fingerprint: 'fp_ollama',
		choices: answers.map(({ answer, finish }, index) => ({
			index,
			message: openAiMessage(answer, 'call_'),
			finish_reason: finish,
		})),
		usage: plainUsage(usage),
	}),
	usageIn: (wished) => (wished ? 'separate' : 'none'),
	// Ollama turns the error line into a chunk without text: the message is lost.
	streamError: () =>
		event({
			id: 'chatcmpl-0',
			object: 'chat.completion.chunk',
			created: 0,
			model: '',
			system_fingerprint: 'fp_ollama',
			choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
		}),
	doneAfterError: false,
	newId: (seed) => `chatcmpl-${seed % 999}`,
};

/** docs/protocols/llama-server.md 8.4. */
const vllm: Dialect = {
	opening: { role: 'assistant', content: '' },
	translate: renamed,
	chunk: ({ created, id, model }, choices, { usage } = {}) => ({
		id,
		object: 'chat.completion.chunk',
		created,
		model,
		choices: choices.map(({ index, delta, finish }) => ({
			index,
			delta,
			logprobs: null,
			finish_reason: finish,
		})),
		...(usage && { usage: openAiUsage(usage) }),
	}),
	completion: ({ created, id, model }, answers, usage) => ({
		id,
		object: 'chat.completion',
		created,
		model,
		choices: answers.map(({ answer, finish }, index) => ({
			index,
			message: openAiMessage(answer, 'chatcmpl-tool-'),
			logprobs: null,
			finish_reason: finish,
			stop_reason: null,
		})),
		usage: openAiUsage(usage),
	}),
	usageIn: (wished) => (wished ? 'separate' : 'none'),
	streamError: ({ message, code = 500, type = 'InternalServerError' }) =>
		event({ error: { message, type, param: null, code } }),
	doneAfterError: true,
	newId: (seed) => `chatcmpl-${randomAlphanumerics(32, seed).toLowerCase()}`,
};

/** docs/protocols/llama-server.md 8.3: the backend's stream, with usage unless it was declined. */
const gpustack: Dialect = {
	...vllm,
	usageIn: (wished) => (wished === false ? 'none' : 'separate'),
	streamError: ({ message, code = 503, type = 'ServiceUnavailable' }) =>
		event({ error: { message, code, type } }),
	doneAfterError: false,
};

/** docs/protocols/llama-server.md 8.4, second half: streaming may be simulated, one big chunk. */
const fastapi: Dialect = {
	...ollama,
	opening: undefined,
	chunk: ({ created, id, model }, choices, { usage } = {}) => ({
		id,
		object: 'chat.completion.chunk',
		created,
		model,
		choices: choices.map(({ index, delta, finish }) => ({ index, delta, finish_reason: finish })),
		...(usage && { usage: plainUsage(usage) }),
	}),
	completion: ({ created, id, model }, answers, usage) => ({
		id,
		object: 'chat.completion',
		created,
		model,
		choices: answers.map(({ answer, finish }, index) => ({
			index,
			message: openAiMessage(answer, 'call_'),
			finish_reason: finish,
		})),
		usage: plainUsage(usage),
	}),
	usageIn: () => 'none',
	streamError: ({ message }) => event({ detail: message }),
	newId: (seed) => `chatcmpl-${randomAlphanumerics(24, seed)}`,
};

export const DIALECTS: Record<Profile, Dialect> = {
	'llama-server': llama,
	router: llama,
	ollama,
	vllm,
	gpustack,
	fastapi,
};

/** Servers that do not stream calls, or texts, in pieces. */
export const SENDS_CALLS_WHOLE: ReadonlySet<Profile> = new Set<Profile>(['ollama', 'fastapi']);
export const SENDS_TEXT_WHOLE: ReadonlySet<Profile> = new Set<Profile>(['fastapi']);
