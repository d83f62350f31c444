import { parameterFields } from '../chat/request/parameters';
import type { ChatParameters } from '../chat/types';
import { nativeOptions, sortExtraBody } from '../chat/wire/ollama-options';
import { invalidInput } from '../errors/failure';
import type { Framing, ServerAddress } from '../http/types';
import { type KindName, kindOf } from '../servers/kinds';
import { optional } from '../values';

/** Continues a prompt, which is a text or its token IDs. */
export interface CompleteTask {
	prompt: string | number[];
}

/** Fills in the gap between two texts. */
export interface FillInTask {
	prefix: string;
	suffix: string;
	/** Text after the prefix with which the answer shall begin (llama-server's `prompt`). */
	beginning: string;
	/** Other files of the project, for models trained with such context. */
	extra: ReadonlyArray<{ filename: string; text: string }>;
}

export type CompletionTask = CompleteTask | FillInTask;

export interface CompletionOptions {
	model: string;
	parameters: ChatParameters;
	/** How many of the likeliest tokens are returned with each token; 0 or undefined: none. */
	logprobs?: number;
	/** Whether token IDs are returned. */
	returnTokens?: boolean;
}

export interface CompletionRequest {
	url: string;
	framing: Framing;
	json: Record<string, unknown>;
}

/**
 * The request for a kind of server, on its native route where it has one, since only that supports everything.
 *
 * @throws {ServerError} of kind `invalidInput` for token IDs that Ollama cannot take
 */
export function completionRequest(
	address: ServerAddress,
	kind: KindName,
	task: CompletionTask,
	options: CompletionOptions,
): CompletionRequest {
	const { hasOllamaApi, llamaApi, modelRoot } = kindOf(kind);
	if (hasOllamaApi === true) return ollamaRequest(address, task, options);
	if (!('prefix' in task)) {
		const fields = { prompt: task.prompt };
		if (llamaApi === undefined) return openAiRequest(address, kind, fields, options);
		return nativeRequest(`${address.root}/completion`, kind, fields, options);
	}
	if (llamaApi !== undefined || modelRoot !== undefined)
		return infillRequest(address, kind, task, options);
	const fields = { prompt: task.prefix + task.beginning, suffix: task.suffix };
	return openAiRequest(address, kind, fields, options);
}

function nativeRequest(
	url: string,
	kind: KindName,
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

/** llama-server fails with 500 if prefix or suffix is missing, so both are always sent. */
function infillRequest(
	{ root }: ServerAddress,
	kind: KindName,
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
	kind: KindName,
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
			// Small servers refuse fields that they do not know.
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
	// An unknown token ID in `context` crashes the whole server (seen with 0.17.4).
	const fields = Object.entries(sortExtraBody(parameters.extraBody).fields).filter(
		([name]) => name !== 'context',
	);
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
	throw invalidInput(
		'Ollama takes a prompt as text only, not as tokens',
		'Give the text of the prompt.',
	);
}
