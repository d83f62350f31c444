import { parameterFields } from '../chat/request/parameters';
import type { ChatParameters } from '../chat/types';
import { nativeOptions, sortExtraBody } from '../chat/wire/ollama-options';
import { invalidInput } from '../errors/failure';
import type { Framing, ServerAddress } from '../http/types';
import { type ServerKind, traitsOf } from '../servers/kinds';
import { optional } from '../values';

/** Text that goes on after a prompt. The prompt is a text, or its tokens. */
export interface CompleteTask {
	prompt: string | number[];
}

/** Text that belongs between two others. */
export interface FillInTask {
	prefix: string;
	suffix: string;
	/** Text behind the prefix with which the answer begins; llama-server's `prompt`. */
	beginning: string;
	/** Other files of the project, for models that were trained for that. */
	extra: ReadonlyArray<{ filename: string; text: string }>;
}

export type CompletionTask = CompleteTask | FillInTask;

export interface CompletionOptions {
	model: string;
	parameters: ChatParameters;
	/** So many of the likeliest tokens are told with each token; 0 or undefined: none. */
	logprobs?: number;
	/** Whether the numbers of the tokens are told. */
	returnTokens?: boolean;
}

export interface CompletionRequest {
	url: string;
	framing: Framing;
	json: Record<string, unknown>;
}

/** The request of a kind of server: its own route where it has one, since only that does everything. */
export function completionRequest(
	address: ServerAddress,
	kind: ServerKind,
	task: CompletionTask,
	options: CompletionOptions,
): CompletionRequest {
	const { hasOllamaApi, llamaApi, modelRoot } = traitsOf(kind);
	if (hasOllamaApi === true) return ollamaRequest(address, task, options);
	if ('prefix' in task)
		return llamaApi !== undefined || modelRoot !== undefined
			? infillRequest(address, kind, task, options)
			: openAiRequest(address, kind, { prompt: task.prefix + task.beginning, suffix: task.suffix }, options);
	return llamaApi === undefined
		? openAiRequest(address, kind, { prompt: task.prompt }, options)
		: nativeRequest(`${address.root}/completion`, kind, { prompt: task.prompt }, options);
}

function nativeRequest(
	url: string,
	kind: ServerKind,
	task: Record<string, unknown>,
	{ model, parameters, logprobs = 0, returnTokens = false }: CompletionOptions,
): CompletionRequest {
	const { max_tokens: limit, ...fields } = parameterFields(parameters, kind);
	return {
		url,
		framing: 'sse',
		json: {
			model,
			...task,
			stream: true,
			...fields,
			...optional({ n_predict: limit }),
			...(logprobs > 0 ? { n_probs: logprobs } : {}),
			...(returnTokens ? { return_tokens: true } : {}),
			...parameters.extraBody,
		},
	};
}

/** llama-server fails with 500 where one of the two texts is missing, so both are always sent. */
function infillRequest(
	{ root }: ServerAddress,
	kind: ServerKind,
	{ prefix, suffix, beginning, extra }: FillInTask,
	options: CompletionOptions,
): CompletionRequest {
	const task = {
		input_prefix: prefix,
		input_suffix: suffix,
		...(extra.length === 0 ? {} : { input_extra: extra }),
		...(beginning === '' ? {} : { prompt: beginning }),
	};
	return nativeRequest(`${root}/infill`, kind, task, options);
}

function openAiRequest(
	{ api }: ServerAddress,
	kind: ServerKind,
	task: Record<string, unknown>,
	{ model, parameters, logprobs = 0 }: CompletionOptions,
): CompletionRequest {
	return {
		url: `${api}/completions`,
		framing: 'sse',
		json: {
			model,
			...task,
			stream: true,
			// Small servers refuse what they do not know.
			...(kind === 'other' ? {} : { stream_options: { include_usage: true } }),
			...parameterFields(parameters, kind),
			...(logprobs > 0 ? { logprobs } : {}),
			...parameters.extraBody,
		},
	};
}

/** `raw`: the prompt as it is, without the template of the model. */
function ollamaRequest(
	{ root }: ServerAddress,
	task: CompletionTask,
	{ model, parameters, logprobs = 0 }: CompletionOptions,
): CompletionRequest {
	const options = nativeOptions(parameters);
	// An ID in `context` that the model does not know ends the whole server (seen with 0.17.4).
	const fields = Object.entries(sortExtraBody(parameters.extraBody).fields).filter(([name]) => name !== 'context');
	return {
		url: `${root}/api/generate`,
		framing: 'ndjson',
		json: {
			model,
			...('prefix' in task
				? { prompt: task.prefix + task.beginning, suffix: task.suffix }
				: { prompt: textOnly(task.prompt), raw: true }),
			stream: true,
			...(Object.keys(options).length === 0 ? {} : { options }),
			...optional({ keep_alive: parameters.keepAlive }),
			...(logprobs > 0 ? { logprobs: true, top_logprobs: logprobs } : {}),
			...Object.fromEntries(fields),
		},
	};
}

function textOnly(prompt: string | number[]): string {
	if (typeof prompt === 'string') return prompt;
	throw invalidInput('Ollama takes a prompt as text only, not as tokens', 'Give the text of the prompt.');
}
