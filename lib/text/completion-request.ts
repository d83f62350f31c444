import { parameterFields } from '../chat/request/parameters';
import type { ChatParameters } from '../chat/types';
import { nativeOptions, sortExtraBody } from '../chat/request/ollama-options';
import { invalidInput } from '../errors/failure';
import type { Framing, ServerAddress } from '../http/types';
import { type KindName, kindOf } from '../servers/kinds';
import type { CompletionRoute } from '../servers/kinds/chat-abilities';
import { isFilled, type JsonRecord } from '../values';

/** Continues a prompt, which is a text or its token IDs. */
export interface CompleteTask {
	prompt: string | number[];
}

export interface CompletionOptions {
	model: string;
	parameters: ChatParameters;
}

export interface CompletionRequest {
	url: string;
	framing: Framing;
	json: JsonRecord;
}

type RequestMaker = (
	address: ServerAddress,
	kind: KindName,
	task: CompleteTask,
	options: CompletionOptions,
) => CompletionRequest;

const MAKERS: Readonly<Record<CompletionRoute, RequestMaker>> = {
	'/completions': openAiRequest,
	'/completion': promptRequest,
	'/api/generate': ollamaRequest,
};

/**
 * The request for a kind of server, on its native route where it has one, since only that supports everything.
 *
 * @throws {ServerError} of kind `invalidInput` for token IDs that the route cannot take
 */
export function completionRequest(
	address: ServerAddress,
	kind: KindName,
	task: CompleteTask,
	options: CompletionOptions,
): CompletionRequest {
	return MAKERS[kindOf(kind).completion.prompt](address, kind, task, options);
}

/** llama-server's own route. */
function promptRequest(
	{ root }: ServerAddress,
	kind: KindName,
	task: CompleteTask,
	{ model, parameters }: CompletionOptions,
): CompletionRequest {
	const { max_tokens: limit, ...fields } = parameterFields(parameters, kind);
	const json: JsonRecord = { model, ...task, stream: true, ...fields };
	if (limit !== undefined) json.n_predict = limit;
	return { url: `${root}/completion`, framing: 'sse', json: { ...json, ...parameters.extraBody } };
}

function openAiRequest(
	{ api }: ServerAddress,
	kind: KindName,
	task: CompleteTask,
	{ model, parameters }: CompletionOptions,
): CompletionRequest {
	const json: JsonRecord = {
		model,
		...task,
		stream: true,
		stream_options: { include_usage: true },
		...parameterFields(parameters, kind),
		...parameters.extraBody,
	};
	return { url: `${api}/completions`, framing: 'sse', json };
}

/** `raw`: the prompt as it is, without the template of the model. */
function ollamaRequest(
	{ root }: ServerAddress,
	_kind: KindName,
	task: CompleteTask,
	{ model, parameters }: CompletionOptions,
): CompletionRequest {
	const json: JsonRecord = { model, prompt: textOnly(task.prompt), raw: true, stream: true };
	const options = nativeOptions(parameters);
	if (isFilled(options)) json.options = options;
	if (parameters.keepAlive !== undefined) json.keep_alive = parameters.keepAlive;
	// An unknown token ID in `context` crashes the whole server (seen with 0.17.4).
	const extraFields = { ...sortExtraBody(parameters.extraBody).fields };
	delete extraFields.context;
	return { url: `${root}/api/generate`, framing: 'ndjson', json: { ...json, ...extraFields } };
}

function textOnly(prompt: string | number[]): string {
	if (typeof prompt === 'string') return prompt;
	throw invalidInput(
		'This server takes a prompt as text only, not as tokens',
		'Give the text of the prompt.',
	);
}
